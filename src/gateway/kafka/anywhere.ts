import type { Handler } from '../../broker/handler.ts'
import { KafkaError } from '../../protocol/errors.ts'
import { AddRaftVoter } from '../../protocol/messages/add-raft-voter.ts'
import { AlterConfigs } from '../../protocol/messages/alter-configs.ts'
import { AlterPartitionReassignments } from '../../protocol/messages/alter-partition-reassignments.ts'
import { CreatePartitions } from '../../protocol/messages/create-partitions.ts'
import { CreateTopics } from '../../protocol/messages/create-topics.ts'
import { DeleteTopics } from '../../protocol/messages/delete-topics.ts'
import { DescribeCluster } from '../../protocol/messages/describe-cluster.ts'
import { DescribeQuorum } from '../../protocol/messages/describe-quorum.ts'
import { DescribeTopicPartitions } from '../../protocol/messages/describe-topic-partitions.ts'
import { ElectLeaders } from '../../protocol/messages/elect-leaders.ts'
import { FindCoordinator } from '../../protocol/messages/find-coordinator.ts'
import { GetTelemetrySubscriptions } from '../../protocol/messages/get-telemetry-subscriptions.ts'
import { IncrementalAlterConfigs } from '../../protocol/messages/incremental-alter-configs.ts'
import { InitProducerId } from '../../protocol/messages/init-producer-id.ts'
import { ListConfigResources } from '../../protocol/messages/list-config-resources.ts'
import { ListPartitionReassignments } from '../../protocol/messages/list-partition-reassignments.ts'
import { Metadata } from '../../protocol/messages/metadata.ts'
import { RemoveRaftVoter } from '../../protocol/messages/remove-raft-voter.ts'
import { UnregisterBroker } from '../../protocol/messages/unregister-broker.ts'
import { UpdateFeatures } from '../../protocol/messages/update-features.ts'
import type { Api, RequestOf, ResponseOutput } from '../../protocol/schema.ts'
import { ask, goAway, inTurn, patienceMs, wayTo } from './exchange.ts'
import type { ProxyContext } from './proxy.ts'
import { atGateway, ledByOne } from './rewrite.ts'
import type { Fields } from './split.ts'
import { anyNode } from './upstream.ts'

export interface AnywhereApi<A extends Api = Api> {
  readonly api: A
  /** It may be asked again when the answer got lost. */
  readonly repeatable: boolean
  /** What is to be learnt from an answer. */
  learn?(answer: ResponseOutput<A>, request: RequestOf<A>, context: ProxyContext): void
  /** It names leaders of partitions. */
  readonly leaders?: boolean
}

/** Attempts of a question that changes nothing, and ms for each: a node that hangs shall not keep a client from the others. */
const mostAttempts = 4
const attemptMs = 8_000

/**
 * What any node can answer, or pass on to the one that can. When a node dies over a question, another one is asked; a change that
 * may have been made is not asked for twice: the client meets a closed connection, as at a node that dies.
 */
export function anywhere<A extends Api>(row: AnywhereApi<A>): Handler<Api, ProxyContext> {
  return {
    api: row.api,
    keepsBytes: false,
    handle(request, context) {
      const upstream = context.broker.upstream(context)
      return inTurn(context.peer, wayTo(upstream, anyNode), async first => {
        let way = first
        for (let attempt = 1; ; attempt++) {
          const { timeoutMs } = request as { timeoutMs?: number }
          const patience = (row.repeatable ? attemptMs : patienceMs) + Math.max(0, timeoutMs ?? 0)
          const answer = await ask(way, row.api, context.version, request, patience)
          if (!(answer instanceof KafkaError)) {
            row.learn?.(answer, request as RequestOf<A>, context)
            const one = row.leaders === true && context.broker.shownTo(context.peer) === 'one'
            return atGateway(one ? ledByOne(answer as Fields) : (answer as Fields), context)
          }
          if (way instanceof KafkaError || !row.repeatable || attempt === mostAttempts) return goAway(context.peer)
          upstream.leave(anyNode)
          way = await wayTo(upstream, anyNode)
        }
      }) as never
    },
  }
}

const question = (api: unknown): Handler<Api, ProxyContext> => anywhere({ api: api as Api, repeatable: true })
const change = (api: unknown): Handler<Api, ProxyContext> => anywhere({ api: api as Api, repeatable: false })

export const describeCluster = question(DescribeCluster)
export const describeTopicPartitions = anywhere({ api: DescribeTopicPartitions, repeatable: true, leaders: true })
export const describeQuorum = question(DescribeQuorum)
export const listConfigResources = question(ListConfigResources)
export const listPartitionReassignments = question(ListPartitionReassignments)
export const getTelemetrySubscriptions = question(GetTelemetrySubscriptions)

// Each node passes these on to the one that decides.
export const createTopics = change(CreateTopics)
export const deleteTopics = change(DeleteTopics)
export const createPartitions = change(CreatePartitions)
export const alterConfigs = change(AlterConfigs)
export const incrementalAlterConfigs = change(IncrementalAlterConfigs)
export const electLeaders = change(ElectLeaders)
export const alterPartitionReassignments = change(AlterPartitionReassignments)
export const updateFeatures = change(UpdateFeatures)
export const unregisterBroker = change(UnregisterBroker)
export const addRaftVoter = change(AddRaftVoter)
export const removeRaftVoter = change(RemoveRaftVoter)

/** Who leads is remembered; nodes are where the gateway is. */
export const metadata = anywhere({
  api: Metadata,
  repeatable: true,
  learn: (answer, _, { broker }) => broker.directory.learn(answer),
  leaders: true,
})

export const findCoordinator = anywhere({
  api: FindCoordinator,
  repeatable: true,
  learn: (answer, { keyType, key }, { broker }) => broker.directory.learnCoordinators(keyType, key, answer),
})

const idsOfAnybody = anywhere({ api: InitProducerId, repeatable: true })

/** Ids come from any node, those of transactions from their coordinator. */
export const initProducerId: Handler<Api, ProxyContext> = {
  ...idsOfAnybody,
  handle(request, context) {
    const { transactionalId } = request as unknown as RequestOf<typeof InitProducerId>
    if (transactionalId === null) return idsOfAnybody.handle(request, context)
    const { broker } = context
    const prepared = broker.directory
      .findCoordinator('transaction', transactionalId)
      .then(node => wayTo(broker.upstream(context), node))
    return inTurn(context.peer, prepared, async way => {
      const answer = await ask(way, InitProducerId, context.version, request)
      if (!(answer instanceof KafkaError)) return answer
      broker.directory.forgetCoordinator('transaction', transactionalId)
      return { errorCode: new KafkaError('COORDINATOR_NOT_AVAILABLE').code, producerEpoch: -1 }
    }) as never
  },
}
