import type { Api } from '../protocol/schema.ts'
import { ZERO_UUID } from '../protocol/uuid.ts'
import type { CommandApis, CommandName, CommandRequest } from './commands/command.ts'

/** With which API each command travels to the controller. Loaded when something has to: a node that decides itself needs none. */
export const commandApis: { readonly [Name in keyof CommandApis]: () => Promise<CommandApis[Name]> } = {
  createTopics: async () => (await import('../protocol/messages/create-topics.ts')).CreateTopics,
  deleteTopics: async () => (await import('../protocol/messages/delete-topics.ts')).DeleteTopics,
  createPartitions: async () => (await import('../protocol/messages/create-partitions.ts')).CreatePartitions,
  incrementalAlterConfigs: async () =>
    (await import('../protocol/messages/incremental-alter-configs.ts')).IncrementalAlterConfigs,
  alterConfigs: async () => (await import('../protocol/messages/alter-configs.ts')).AlterConfigs,
  registerBroker: async () => (await import('../protocol/messages/broker-registration.ts')).BrokerRegistration,
  brokerHeartbeat: async () => (await import('../protocol/messages/broker-heartbeat.ts')).BrokerHeartbeat,
  unregisterBroker: async () => (await import('../protocol/messages/unregister-broker.ts')).UnregisterBroker,
  alterPartition: async () => (await import('../protocol/messages/alter-partition.ts')).AlterPartition,
  alterPartitionReassignments: async () =>
    (await import('../protocol/messages/alter-partition-reassignments.ts')).AlterPartitionReassignments,
  listPartitionReassignments: async () =>
    (await import('../protocol/messages/list-partition-reassignments.ts')).ListPartitionReassignments,
  allocateProducerIds: async () => (await import('../protocol/messages/allocate-producer-ids.ts')).AllocateProducerIds,
  updateFeatures: async () => (await import('../protocol/messages/update-features.ts')).UpdateFeatures,
  electLeaders: async () => (await import('../protocol/messages/elect-leaders.ts')).ElectLeaders,
}

const safeDowngrade = 2

/** The same request as the newest version says it: it came in an older one, perhaps, and is sent on in the newest. */
export function inNewestVersion<Name extends CommandName>(
  name: Name,
  request: CommandRequest<Name>,
): CommandRequest<Name> {
  const newest = (): object => {
    if (name === 'deleteTopics') {
      const { topics = [], topicNames = [], ...rest } = request as CommandRequest<'deleteTopics'>
      const named = topicNames.map(topic => ({ name: topic, topicId: ZERO_UUID }))
      return { ...rest, topics: [...topics, ...named] }
    }
    if (name === 'updateFeatures') {
      const { featureUpdates, ...rest } = request as CommandRequest<'updateFeatures'>
      const updates = featureUpdates.map(({ allowDowngrade = false, ...update }) => {
        return allowDowngrade ? { ...update, upgradeType: safeDowngrade } : update
      })
      return { ...rest, featureUpdates: updates }
    }
    return request
  }
  return newest() as CommandRequest<Name>
}

/** Commands that only the controller's own node gives have no API. */
export const apiOf = (name: string): (() => Promise<Api>) | null =>
  (commandApis as unknown as Record<string, (() => Promise<Api>) | undefined>)[name] ?? null
