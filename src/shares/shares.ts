import type { Peers } from '../cluster/peers.ts'
import { ErrorCode, type ErrorName, errorName, KafkaError } from '../protocol/errors.ts'
import { AcquireLeases, AlterLeases, DescribeLeases, SettleLeases } from '../protocol/own/leases.ts'
import type { Clock, Timers } from '../world/world.ts'
import type { AcquireAnswer, DescribedGroup, SettleAnswer } from './commands.ts'
import type { AcquireRequest, ResetRequest, SettleRequest, ShareCoordinator } from './coordinator.ts'
import { shareStateTopic } from './coordinator.ts'
import { beginCodes, settlementCodes } from './wire.ts'

/** What is asked of a coordinator, and which of its partitions a group belongs to. */
export type Coordinator = Pick<
  ShareCoordinator,
  'acquire' | 'settle' | 'describe' | 'list' | 'delete' | 'reset' | 'partitionFor'
>

/** Topics, as far as they tell who leads. */
interface Leaders {
  has(topic: string): boolean
  get(topic: string): { readonly partitions: readonly { readonly leader: number }[] } | undefined
}

export interface SharesOptions {
  readonly nodeId: number
  /** Of this node; asked when it leads. */
  readonly coordinator: Coordinator
  readonly cluster: { readonly topics: Leaders }
  readonly peers: Pick<Peers, 'send'>
  /** Who does not follow the metadata asks who leads `__share_group_state` before it asks them all. Left out: it is known. */
  readonly lookUp?: () => Promise<void>
  /** Makes `__share_group_state`. Rejects with COORDINATOR_NOT_AVAILABLE. */
  readonly createTopic: () => Promise<void>
  readonly clock: Clock
  readonly timers: Timers
  /** ms for which a coordinator is looked for that does not answer. */
  readonly patienceMs?: number
}

/** ms between two attempts. */
const againMs = 50
/** ms that a coordinator has for its answer, on top of what it may wait. */
const answerMs = 10_000
/** ms after which a wait on another node is begun anew. */
const longestWaitMs = 5_000

/** The topic that has the name, and a grant for each want. */
export interface Acquired {
  readonly topicId: string
  readonly grants: AcquireAnswer['grants']
}

const mayPass: ReadonlySet<ErrorName> = new Set<ErrorName>([
  'NOT_COORDINATOR',
  'COORDINATOR_NOT_AVAILABLE',
  'COORDINATOR_LOAD_IN_PROGRESS',
  'NETWORK_EXCEPTION',
  'REQUEST_TIMED_OUT',
  'REBOOTSTRAP_REQUIRED',
])

/**
 * Lease groups as any node of the cluster offers them: finds the coordinator, asks it here or over the cluster, and again
 * when it has moved. What was asked twice because an answer was lost is harmless: to accept a record again is no news, and
 * records that were handed out to nobody come back when their lease ends. Rejects with KafkaError.
 */
export class Shares {
  readonly #options: SharesOptions

  constructor(options: SharesOptions) {
    this.#options = options
  }

  /** As the coordinator's. GROUP_MAX_SIZE_REACHED is thrown, too. */
  async acquire(request: AcquireRequest): Promise<Acquired> {
    const { groupId, topic, begin, wants, signal } = request
    const { clock } = this.#options
    const until = clock.mono() + request.waitMs
    for (;;) {
      const asked = clock.mono()
      const waitMs = Math.max(0, Math.min(longestWaitMs, until - asked))
      const { error, topicId, grants } = await this.#ask(
        groupId,
        coordinator => coordinator.acquire({ ...request, waitMs }),
        async node => {
          const answer = await this.#options.peers.send(
            node,
            AcquireLeases,
            { groupId, topic, begin: beginCodes.indexOf(begin), waitMs: Math.ceil(waitMs), wants: [...wants] },
            // Answers come in the order of the questions: each that waits has a lane of its own, and those that do not have one.
            { lane: waitMs > 0 ? `leases ${begin} ${topic} ${groupId}` : 'pulls', timeoutMs: waitMs + answerMs },
          )
          return { ...answer, error: thrown(answer) }
        },
      )
      if (error !== 'NONE') throw new KafkaError(error)
      const empty = grants.every(({ records }) => records.length === 0)
      if (!empty || signal?.aborted || clock.mono() >= until) return { topicId, grants }
      // Nobody may wait there any more.
      if (clock.mono() < asked + waitMs) await this.#pause()
    }
  }

  /** A result for each item: NONE, or INVALID_RECORD_STATE where the lease is over. */
  settle(request: SettleRequest): Promise<SettleAnswer> {
    const { groupId, topic } = request
    return this.#ask(
      groupId,
      coordinator => coordinator.settle(request),
      async node => {
        const items = request.items.map(({ what, ...item }) => ({ ...item, what: settlementCodes.indexOf(what) }))
        const skipped = request.skipped.map(({ partition, from, to }) => ({
          partition,
          fromOffset: from,
          toOffset: to,
        }))
        const { skippedOf } = request
        const body = { groupId, topic, items, skipped, ...(skippedOf === null ? {} : { skippedOf }) }
        const answer = await this.#options.peers.send(node, SettleLeases, body, { lane: 'leases', timeoutMs: answerMs })
        return { error: thrown(answer), results: answer.results.map(errorName) }
      },
    )
  }

  describe(groupId: string): Promise<DescribedGroup> {
    return this.#ask(
      groupId,
      coordinator => coordinator.describe(groupId),
      async node => (await this.#described(node, [groupId]))[0]!,
    )
  }

  /** The groups of the whole cluster, in order of their names. Rejects when a node that coordinates some does not answer. */
  async list(): Promise<DescribedGroup[]> {
    const { cluster, nodeId, coordinator, lookUp } = this.#options
    await lookUp?.()
    const nodes = new Set<number>()
    for (const { leader } of cluster.topics.get(shareStateTopic)?.partitions ?? []) if (leader >= 0) nodes.add(leader)
    const lists = await Promise.all(
      [...nodes].map(node => (node === nodeId ? coordinator.list() : this.#described(node, null))),
    )
    return lists.flat().sort((one, other) => (one.groupId < other.groupId ? -1 : 1))
  }

  /** GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP. */
  delete(groupId: string): Promise<ErrorName> {
    return this.#ask(
      groupId,
      coordinator => coordinator.delete(groupId),
      node => this.#alter(node, { groupId, forget: true, topic: '', offsets: [] }),
    )
  }

  /** NON_EMPTY_GROUP. */
  reset(request: ResetRequest): Promise<ErrorName> {
    return this.#ask(
      request.groupId,
      coordinator => coordinator.reset(request),
      node => this.#alter(node, { ...request, forget: false, offsets: [...request.offsets] }),
    )
  }

  async #described(node: number, groups: string[] | null): Promise<DescribedGroup[]> {
    const options = { lane: 'leases', timeoutMs: answerMs }
    const answer = await this.#options.peers.send(node, DescribeLeases, { groups }, options)
    thrown(answer)
    return answer.groups.map(({ errorCode, ...group }) => ({ ...group, error: errorName(errorCode) }))
  }

  async #alter(node: number, request: Parameters<typeof AlterLeases.request.write>[2]): Promise<ErrorName> {
    const options = { lane: 'leases', timeoutMs: answerMs }
    return thrown(await this.#options.peers.send(node, AlterLeases, request, options))
  }

  async #ask<T>(
    groupId: string,
    here: (coordinator: Coordinator) => Promise<T>,
    there: (node: number) => Promise<T>,
  ): Promise<T> {
    const { clock, nodeId, coordinator, patienceMs = 15_000 } = this.#options
    const until = clock.mono() + patienceMs
    for (;;) {
      try {
        const node = await this.#find(groupId)
        return await (node === nodeId ? here(coordinator) : there(node))
      } catch (error) {
        if (!(error instanceof KafkaError) || !mayPass.has(error.errorName) || clock.mono() >= until) throw error
      }
      await this.#pause()
    }
  }

  #pause(): Promise<void> {
    return new Promise(resolve => this.#options.timers.after(againMs, resolve))
  }

  async #find(groupId: string): Promise<number> {
    const { cluster, createTopic, coordinator } = this.#options
    if (!cluster.topics.has(shareStateTopic)) await createTopic()
    const leader = cluster.topics.get(shareStateTopic)?.partitions[coordinator.partitionFor(groupId)]?.leader ?? -1
    if (leader < 0) throw new KafkaError('COORDINATOR_NOT_AVAILABLE', 'the coordinator is being elected')
    return leader
  }
}

/** Errors of the whole question; others are part of the answer. */
function thrown({ errorCode, errorMessage }: { errorCode: number; errorMessage: string | null }): ErrorName {
  const name = errorName(errorCode)
  if (errorCode === ErrorCode.NONE || name === 'GROUP_MAX_SIZE_REACHED') return name
  if (name === 'GROUP_ID_NOT_FOUND' || name === 'NON_EMPTY_GROUP') return name
  throw new KafkaError(name, errorMessage ?? undefined)
}
