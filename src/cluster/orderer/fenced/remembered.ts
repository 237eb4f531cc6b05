import type { Volume } from '../../../store/store.ts'
import { type Head, logStart, type Position } from './fenced-log.ts'

/** The file at the root of the data directory: what tells a store that has forgotten from one that has not. */
export const rememberedName = 'orderer-state'

export interface Remembered {
  /** Empty: none was seen yet. */
  readonly logId: string
  /** Of our last leadership, and of attempts since whose answer may not have come. At most two. */
  readonly nonces: readonly string[]
  /** The highest seen. */
  readonly epoch: number
  /** How far we have seen the log. A leader's is durable here before anybody is told. */
  readonly position: Position
  /**
   * The `Head.source` that this node has vouched for, and the epoch there: it leads with no other one before somebody has led
   * in a higher epoch.
   */
  readonly promised: { readonly source: string; readonly epoch: number } | null
  /** `Head.source` that was last taken as it was, because a person said so. */
  readonly accepted: string
}

const nothing: Remembered = { logId: '', nonces: [], epoch: 0, position: logStart, promised: null, accepted: '' }

/** What a node keeps of a log that lives elsewhere. Writes that come while one is under way are one write. */
export class Memory {
  readonly #volume: Pick<Volume, 'get' | 'put'>
  #now: Remembered
  #last: Promise<unknown> = Promise.resolve()
  #next: Promise<void> | null = null

  /** Throws when the file makes no sense. */
  constructor(volume: Pick<Volume, 'get' | 'put'>) {
    this.#volume = volume
    const file = volume.get(rememberedName)
    this.#now = file === null ? nothing : parse(new TextDecoder().decode(file))
  }

  get now(): Remembered {
    return this.#now
  }

  /** The last leadership was ours. */
  ledLast({ token }: Pick<Head, 'token'>): boolean {
    return this.#now.nonces.includes(token.nonce)
  }

  /** In force at once, durable when fulfilled; rejects as `Volume.put` does. */
  note(change: Partial<Remembered>): Promise<void> {
    this.#now = { ...this.#now, ...change }
    if (this.#next !== null) return this.#next
    const written = this.#last.then(() => {
      this.#next = null
      return this.#volume.put(rememberedName, new TextEncoder().encode(print(this.#now)))
    })
    this.#last = written.catch(() => {})
    this.#next = written
    return written
  }

  /** Fulfilled when nothing is under way any more, however it ended. */
  async settled(): Promise<void> {
    await this.#last
  }
}

function print({ position, ...others }: Remembered): string {
  return JSON.stringify({ version: 1, ...others, ...position })
}

function parse(text: string): Remembered {
  try {
    const { version, logId, nonces, epoch, endOffset, hash, promised = null, accepted = '' } = JSON.parse(text)
    const strings = [logId, hash, accepted, promised?.source ?? '', ...nonces].every(value => typeof value === 'string')
    if (version === 1 && strings && Number.isSafeInteger(epoch) && Number.isSafeInteger(endOffset)) {
      return { logId, nonces, epoch, position: { endOffset, hash }, promised, accepted }
    }
  } catch {
    // Told below.
  }
  throw new Error(`the file ${rememberedName} of the data directory is unreadable or newer than this program`)
}
