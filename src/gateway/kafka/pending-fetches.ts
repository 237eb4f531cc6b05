import type { Portion } from './split.ts'
import { eachAnswer, type Fields, type PartitionFields } from './split.ts'

/** Where Fetch names partitions. */
export const fetchFields: PartitionFields = {
  topics: 'topics',
  partitions: 'partitions',
  index: 'partition',
  answers: 'responses',
  answerPartitions: 'partitions',
}

/** A Fetch at one node that is not answered yet, or whose answer nobody has taken. */
export interface Outstanding {
  readonly portion: Portion
  readonly done: Promise<void>
  /** Null: it has not come. */
  readonly answer: Fields | null
  /** Records in it. */
  readonly bytes: number
  /** It has something for the client: records, an error, a divergence. */
  readonly tells: boolean
}

class Fetching implements Outstanding {
  readonly portion: Portion
  readonly done: Promise<void>
  answer: Fields | null = null
  bytes = 0
  tells = false
  /** A request of the client waits for it. */
  wanted = true
  /** Nobody will ever want it again. */
  dropped = false

  constructor(portion: Portion, coming: Promise<Fields>, came: (fetching: Fetching) => void) {
    this.portion = portion
    this.done = coming.then(answer => {
      this.answer = answer
      this.tells = (answer.errorCode ?? 0) !== 0
      eachAnswer(answer, fetchFields, (_, partition) => {
        const bytes = (partition.records as Uint8Array | null)?.length ?? 0
        const diverging = partition.divergingEpoch as { epoch: number } | undefined
        this.bytes += bytes
        if (partition.errorCode !== 0 || bytes > 0 || (diverging?.epoch ?? -1) >= 0) this.tells = true
      })
      came(this)
    })
    // Who waits for it hears of it.
    this.done.catch(() => {})
  }
}

/** Fetches that one client may leave behind. */
const mostLeft = 64

/**
 * The Fetches of one client's connection at the nodes. A client whose request went to several is answered by the first that has
 * something. What another one brings later answers the client's next request, if that asks for the same: so nothing is read
 * twice, and no node is passed over for ever by a quicker one.
 */
export class PendingFetches {
  readonly #count: (bytes: number) => void
  #all: Fetching[] = []
  #closed = false

  /** `count` hears of bytes of records that are held for the client, and of those that it will never get. */
  constructor(count: (bytes: number) => void) {
    this.#count = count
  }

  /** Those that no request waits for. */
  get left(): number {
    return this.#all.filter(({ wanted }) => !wanted).length
  }

  /** What has been asked already and is wanted by nobody else. Null: nothing; what the node was asked before is forgotten. */
  find(portion: Portion): Outstanding | null {
    for (const known of [...this.#all]) {
      if (known.wanted || known.portion.node !== portion.node) continue
      if (asksTheSame(known.portion.request, portion.request)) {
        known.wanted = true
        return known
      }
      this.#drop(known)
    }
    return null
  }

  add(portion: Portion, coming: Promise<Fields>): Outstanding {
    const fetching = new Fetching(portion, coming, ({ dropped, bytes }) => {
      if (!dropped) this.#count(bytes)
    })
    this.#all.push(fetching)
    if (this.#closed) this.#drop(fetching)
    const free = this.#all.filter(({ wanted }) => !wanted)
    for (const oldest of free.slice(0, Math.max(0, free.length - mostLeft))) this.#drop(oldest)
    return fetching
  }

  /** The answer, for the client: its bytes stay counted until the taker says otherwise. Null: it has not come, and is left. */
  take(outstanding: Outstanding): Fields | null {
    const fetching = outstanding as Fetching
    if (fetching.answer === null) {
      fetching.wanted = false
      return null
    }
    if (fetching.dropped) this.#count(fetching.bytes)
    this.#all = this.#all.filter(each => each !== fetching)
    return fetching.answer
  }

  close(): void {
    this.#closed = true
    for (const fetching of [...this.#all]) this.#drop(fetching)
  }

  #drop(fetching: Fetching): void {
    this.#all = this.#all.filter(each => each !== fetching)
    fetching.dropped = true
    if (fetching.answer !== null) this.#count(-fetching.bytes)
  }
}

type Asked = Readonly<Record<'partition' | 'fetchOffset' | 'currentLeaderEpoch', number>>
type AskedTopic = { readonly topic: string; readonly topicId: string; readonly partitions: readonly Asked[] }

/** Whether two requests read the same partitions from the same offsets on. */
export function asksTheSame(one: Fields, other: Fields): boolean {
  const topics = one.topics as readonly AskedTopic[]
  const others = other.topics as readonly AskedTopic[]
  if (topics.length !== others.length) return false
  return topics.every(({ topic, topicId, partitions }, i) => {
    const its = others[i]!
    if (topic !== its.topic || topicId !== its.topicId || partitions.length !== its.partitions.length) return false
    return partitions.every((partition, at) => {
      const same = its.partitions[at]!
      return (
        partition.partition === same.partition &&
        partition.fetchOffset === same.fetchOffset &&
        partition.currentLeaderEpoch === same.currentLeaderEpoch
      )
    })
  })
}
