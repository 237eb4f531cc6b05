import { BrokenChain } from './chain.ts'
import type { Head } from './fenced-log.ts'
import type { FencedOrdererOptions } from './orderer-options.ts'
import type { Reader } from './reader.ts'
import type { Memory, Remembered } from './remembered.ts'

/** ms until the next look for what other nodes say, when nobody tells. */
const confirmMs = 100

/** What must be known before a server that took the place of another one is led: that nothing is missing, and nobody else leads. */
export class Succession {
  readonly #options: FencedOrdererOptions
  readonly #memory: Memory
  readonly #reader: Pick<Reader, 'replay'>
  readonly #remember: (change: Partial<Remembered>) => Promise<void>
  /** Monotonic ms: since when nobody leads before other nodes have spoken. */
  #waitsFrom: number | null = null
  /** What was promised last and is on the disk: in memory it is, too, when that failed. */
  #written = ''

  /** `remember`: durable when fulfilled. */
  constructor(
    options: FencedOrdererOptions,
    memory: Memory,
    reader: Pick<Reader, 'replay'>,
    remember: (change: Partial<Remembered>) => Promise<void>,
  ) {
    this.#options = options
    this.#memory = memory
    this.#reader = reader
    this.#remember = remember
  }

  /** Nobody may lead before `confirm`. */
  isOpen({ moved, source, token }: Head): boolean {
    return moved || (this.#options.accept === source && token.epoch < this.#memory.now.epoch)
  }

  /**
   * Another server answers than the one that confirmed the log. Who led last knows whether anything is missing. It does not
   * know whether others go on elsewhere, with what this one is a copy of: unless it is the same server, all nodes must say
   * that they will not. Returns ms until the next look.
   */
  async confirm(head: Head): Promise<number> {
    const { log, logger, accept } = this.#options
    const { epoch } = this.#memory.now
    const fresh = head.endOffset === 0 && head.token.epoch === 0
    const ours = this.#memory.ledLast(head) || fresh
    const accepted = accept === head.source
    if (!accepted && !(ours && head.same && !this.isBound(head))) {
      const missing = await this.#vouch(head)
      if (missing.length > 0 || !ours) return this.#wait(this.#whoIsSilent(head, missing), head.source)
    }
    if ((await log.confirm(head, accepted ? epoch : undefined)) !== 'ok') return 0
    logger.warn(
      accepted
        ? `${log.name} was restarted or replaced; its metadata log is taken as it is, because you said so`
        : `${log.name} was restarted or replaced; the metadata log is whole`,
      { endOffset: head.endOffset },
    )
    return 0
  }

  /** We have vouched for another server, and do not know that nobody leads with it. */
  isBound({ source }: Pick<Head, 'source'>): boolean {
    const { promised } = this.#memory.now
    return promised !== null && promised.source !== source
  }

  /** As `confirm`, of a server that somebody else may lead with. */
  waitBound({ source }: Head): number {
    const { promised } = this.#memory.now
    const what = `this node has agreed to lead with no other server than the one that calls itself ${promised?.source}`
    return this.#wait(`${what}, and nobody else leads with this one`, source)
  }

  /** Somebody leads, or may. */
  isOver(): void {
    this.#waitsFrom = null
  }

  /** We lead with this server or with none, from now on. Returns who has not said so yet. */
  async #vouch({ source, token, vouched }: Head): Promise<number[]> {
    const { id } = this.#options.voter
    if (this.#written !== source) {
      await this.#remember({ promised: { source, epoch: token.epoch } })
      this.#written = source
    }
    if (!vouched.includes(id) && (await this.#options.log.vouch(source, id)) !== 'ok') return [id]
    return [...this.#reader.replay.registered].filter(node => node !== id && !vouched.includes(node))
  }

  #whoIsSilent({ leader, vouched }: Head, missing: readonly number[]): string {
    const silent = new Set(missing)
    if (leader !== null && leader.id !== this.#options.voter.id && !vouched.includes(leader.id)) silent.add(leader.id)
    const who = silent.size === 0 ? 'who led last' : `node ${[...silent].sort((a, b) => a - b).join(', ')}`
    return `it was restarted, or a copy of it has taken over, and ${who} has not said yet that nothing is missing`
  }

  /** For those who have not spoken; who has waited for long says so. Returns ms until the next look. */
  #wait(why: string, source: string): number {
    const { world, leaseMs } = this.#options
    this.#waitsFrom ??= world.clock.mono()
    if (world.clock.mono() - this.#waitsFrom < leaseMs) return Math.min(confirmMs, leaseMs / 10)
    throw new BrokenChain(
      `${why}; start what is stopped, or, when that is gone for good and no other server of this log is used any more, ` +
        `take what is there by ?accept=${source}`,
    )
  }
}
