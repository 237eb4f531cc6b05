import { atLeast, bool, className, int, list, listOf, long, orValue } from '../definition.ts'
import { java, javaPolicy, noNeed, oneLoop } from './reasons.ts'

/** Topics: how they are created and what they are given. */
export const topicsSettings = {
  'alter.config.policy.class.name': className(null).only(javaPolicy),
  'auto.create.topics.enable': bool(true).honoured('Whether asking for the metadata of an unknown topic creates it.'),
  'config.providers': list('', listOf([], { empty: true }))
    .clusterWide()
    .ignored(java),
  'create.topic.policy.class.name': className(null).only(javaPolicy),
  'default.replication.factor': int(-1, orValue(-1, atLeast(1))).honoured(
    "Copies of a topic that is created without a number; −1: as many as there are brokers, at most 3, and more when brokers join (Kafka's default: 1).",
  ),
  'delete.records.purgatory.purge.interval.requests': int(1).ignored(oneLoop),
  'delete.topic.enable': bool(true).honoured('Whether topics can be deleted.'),
  'max.request.partition.size.limit': int(2000, atLeast(1)).honoured(
    'Partitions that one DescribeTopicPartitions answer describes at most.',
  ),
  'min.insync.replicas': int(1, atLeast(1))
    .clusterWide()
    .honoured(
      'Copies that must have a record before `acks=all` is answered; a topic with fewer copies needs all of them.',
    ),
  'num.partitions': int(1, atLeast(1)).honoured('Partitions of a topic that is created without a number.'),
  'unclean.leader.election.enable': bool(false)
    .clusterWide()
    .honoured('Whether a copy that lacks acknowledged records may lead when no other can.'),
  'unclean.leader.election.interval.ms': long(300_000, atLeast(1)).hidden().ignored(noNeed),
}
