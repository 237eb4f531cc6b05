import { int8, int32, list, message, string, uuid } from '../../protocol/schema.ts'

export const TopicRecord = message('TopicRecord', '0', { flexible: '0+' }, { name: string, topicId: uuid })

/** The topic and all of its partitions are gone. */
export const RemoveTopicRecord = message('RemoveTopicRecord', '0', { flexible: '0+' }, { topicId: uuid })

/** Version 1 has log directories (KIP-858), version 2 eligible leader replicas (KIP-966). */
export const PartitionRecord = message(
  'PartitionRecord',
  '0-2',
  { flexible: '0+' },
  {
    partitionId: int32.or(-1),
    topicId: uuid,
    /** The preferred leader first. */
    replicas: list(int32),
    isr: list(int32),
    removingReplicas: list(int32),
    addingReplicas: list(int32),
    /** −1: none. */
    leader: int32.or(-1),
    /** 1: recovering from an unclean election. */
    leaderRecoveryState: int8.tag(0, '0+'),
    leaderEpoch: int32.or(-1),
    partitionEpoch: int32.or(-1),
    /** One for each replica, in the same order. */
    directories: list(uuid).in('1+').ignorable(),
    eligibleLeaderReplicas: list(int32).nullable('2+').or(null).tag(1, '2+').ignorable(),
    lastKnownElr: list(int32).nullable('2+').or(null).tag(2, '2+').ignorable(),
  },
)

/** Every field that is null (leader: −2, recovery state: −1) stays as it was. A leader that is given begins a new leader epoch. */
export const PartitionChangeRecord = message(
  'PartitionChangeRecord',
  '0-2',
  { flexible: '0+' },
  {
    partitionId: int32.or(-1),
    topicId: uuid,
    isr: list(int32).nullable().or(null).tag(0, '0+'),
    leader: int32.or(-2).tag(1, '0+'),
    replicas: list(int32).nullable().or(null).tag(2, '0+'),
    removingReplicas: list(int32).nullable().or(null).tag(3, '0+'),
    addingReplicas: list(int32).nullable().or(null).tag(4, '0+'),
    leaderRecoveryState: int8.or(-1).tag(5, '0+'),
    directories: list(uuid).nullable('1+').or(null).tag(8, '1+').ignorable(),
    eligibleLeaderReplicas: list(int32).nullable('2+').or(null).tag(6, '2+').ignorable(),
    lastKnownElr: list(int32).nullable('2+').or(null).tag(7, '2+').ignorable(),
  },
)

/** With an empty name: for all topics. */
export const ClearElrRecord = message('ClearElrRecord', '0', { flexible: '0+' }, { topicName: string })
