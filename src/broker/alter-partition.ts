import { errorName } from '../protocol/errors.ts'
import type { AlterPartition } from '../protocol/messages/alter-partition.ts'
import type { RequestInput, ResponseOf } from '../protocol/schema.ts'
import type { IsrAnswer, IsrChanges, IsrProposal } from '../replication/isr-changes.ts'
import type { Logger } from '../world/logger.ts'
import type { Timers } from '../world/world.ts'

type Response = ResponseOf<typeof AlterPartition>
type PartitionAnswer = Response['topics'][number]['partitions'][number]

export interface AlterPartitionOptions {
  readonly brokerId: number
  brokerEpoch(): number
  /** Asks whoever decides about metadata. Its answer, whatever it is, or a rejection. */
  ask(request: RequestInput<typeof AlterPartition>): Promise<Response>
  readonly timers: Timers
  readonly logger: Logger
}

interface Asked {
  readonly proposal: IsrProposal
  readonly wanted: () => boolean
  readonly answered: (answer: IsrAnswer) => void
}

/** ms of the first pause after a failure, and the longest. */
const firstPauseMs = 20
const longestPauseMs = 1000

/** Not done, and nothing has changed. */
const refusals: ReadonlySet<string> = new Set(['INELIGIBLE_REPLICA', 'OPERATION_NOT_ATTEMPTED', 'INVALID_REQUEST'])
/** Not done, because something else was. */
const outdated: ReadonlySet<string> = new Set([
  'INVALID_UPDATE_VERSION',
  'FENCED_LEADER_EPOCH',
  'NEW_LEADER_ELECTED',
  'UNKNOWN_TOPIC_ID',
  'UNKNOWN_TOPIC_OR_PARTITION',
])

/** The ISRs that this node's partitions propose, gathered into requests to the controller, one at a time (KIP-497). */
export class AlterPartitions implements IsrChanges {
  readonly #options: AlterPartitionOptions
  #waiting: Asked[] = []
  #busy = false
  #failures = 0
  #stopped = false

  constructor(options: AlterPartitionOptions) {
    this.#options = options
  }

  propose(proposal: IsrProposal, wanted: () => boolean, answered: (answer: IsrAnswer) => void): void {
    this.#waiting.push({ proposal, wanted, answered })
    this.#soon()
  }

  stop(): void {
    this.#stopped = true
    this.#waiting = []
  }

  /** Many partitions change in one turn. */
  #soon(): void {
    if (this.#busy || this.#stopped) return
    this.#busy = true
    this.#options.timers.soon(() => void this.#send())
  }

  async #send(): Promise<void> {
    const asked = this.#waiting.filter(({ wanted }) => wanted())
    this.#waiting = []
    const again = asked.length === 0 ? [] : await this.#ask(asked)
    this.#busy = false
    if (this.#stopped) return
    // In the order in which they came: of one partition there is but one.
    this.#waiting.unshift(...again)
    if (this.#waiting.length === 0) return
    if (again.length === 0) {
      this.#soon()
      return
    }
    this.#busy = true
    const pauseMs = Math.min(firstPauseMs * 2 ** Math.min(this.#failures++, 16), longestPauseMs)
    this.#options.timers.after(pauseMs, () => void this.#send())
  }

  /** Returns those of whom nobody knows whether they are done. */
  async #ask(asked: readonly Asked[]): Promise<Asked[]> {
    let answer: Response
    try {
      answer = await this.#options.ask(this.#request(asked))
    } catch (error) {
      this.#options.logger.debug('the controller could not be asked for an ISR', { error: String(error) })
      return [...asked]
    }
    if ((answer.errorCode ?? 0) !== 0) {
      this.#options.logger.debug('the controller takes no ISR now', { why: errorName(answer.errorCode ?? 0) })
      return [...asked]
    }
    this.#failures = 0
    return asked.filter(each => !this.#settle(each, find(answer, each.proposal)))
  }

  #settle({ proposal, wanted, answered }: Asked, answer: PartitionAnswer | undefined): boolean {
    if (answer === undefined) return false
    const why = errorName(answer.errorCode)
    const { topic, partition } = proposal
    if (answer.errorCode === 0) {
      const { leaderEpoch, partitionEpoch, isr } = answer
      this.#options.logger.info('in-sync replicas have changed', { topic, partition, isr })
      if (wanted()) answered({ is: 'changed', leaderEpoch, partitionEpoch, isr })
    } else if (refusals.has(why) || outdated.has(why)) {
      this.#options.logger.debug('an ISR was refused', { topic, partition, why })
      if (wanted()) answered({ is: refusals.has(why) ? 'refused' : 'outdated' })
    } else return false
    return true
  }

  #request(asked: readonly Asked[]): RequestInput<typeof AlterPartition> {
    const topics = new Map<string, IsrProposal[]>()
    for (const { proposal } of asked) {
      const partitions = topics.get(proposal.topicId)
      if (partitions === undefined) topics.set(proposal.topicId, [proposal])
      else partitions.push(proposal)
    }
    return {
      brokerId: this.#options.brokerId,
      brokerEpoch: this.#options.brokerEpoch(),
      topics: Array.from(topics, ([topicId, proposals]) => ({
        topicId,
        partitions: proposals.map(({ partition: partitionIndex, leaderEpoch, partitionEpoch, isr, lacking }) => ({
          partitionIndex,
          leaderEpoch,
          partitionEpoch,
          newIsrWithEpochs: isr,
          leaderRecoveryState: 0,
          lackingReplicas: lacking,
        })),
      })),
    }
  }
}

function find({ topics }: Response, { topicId, partition }: IsrProposal): PartitionAnswer | undefined {
  return topics.find(topic => topic.topicId === topicId)?.partitions.find(each => each.partitionIndex === partition)
}
