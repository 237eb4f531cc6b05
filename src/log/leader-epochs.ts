/** The epoch and offset of a partition's leader that OffsetForLeaderEpoch and diverging fetches speak of. */
export interface EpochEndOffset {
  /** −1: unknown. */
  readonly epoch: number
  /** −1: unknown. */
  readonly endOffset: number
}

const unknown: EpochEndOffset = { epoch: -1, endOffset: -1 }

/**
 * Which leader epoch begins at which offset (KIP-101, KIP-279). Both grow from entry to entry. One entry a leader that
 * wrote something, so a handful; entries below the log's start fold into one.
 */
export class LeaderEpochs {
  readonly #epochs: number[] = []
  readonly #starts: number[] = []

  get size(): number {
    return this.#epochs.length
  }

  /** −1 when there is none. */
  get latestEpoch(): number {
    return this.#epochs.at(-1) ?? -1
  }

  /** Where the latest epoch begins; −1 when there is none. */
  get latestStart(): number {
    return this.#starts.at(-1) ?? -1
  }

  entries(): [epoch: number, startOffset: number][] {
    return this.#epochs.map((epoch, index) => [epoch, this.#starts[index]!])
  }

  /** Notes that `epoch` writes at `startOffset`. True when that was new; entries that contradict it are forgotten. */
  assign(epoch: number, startOffset: number): boolean {
    const latest = this.#epochs.length - 1
    if (latest >= 0 && this.#epochs[latest] === epoch && startOffset >= this.#starts[latest]!) return false
    let keep = this.#epochs.length
    while (keep > 0 && (this.#epochs[keep - 1]! >= epoch || this.#starts[keep - 1]! >= startOffset)) keep--
    this.#epochs.length = this.#starts.length = keep
    this.#epochs.push(epoch)
    this.#starts.push(startOffset)
    return true
  }

  /**
   * The largest epoch that is not above `epoch`, and where it ends: at the start of the next one, or at `logEndOffset`.
   * An epoch above all known ones is unknown; one below all ends where the first known one begins.
   */
  endOffsetFor(epoch: number, logEndOffset: number): EpochEndOffset {
    if (epoch < 0 || epoch > this.latestEpoch) return unknown
    if (epoch === this.latestEpoch) return { epoch, endOffset: logEndOffset }
    const next = this.#epochs.findIndex(known => known > epoch)
    return { epoch: next === 0 ? epoch : this.#epochs[next - 1]!, endOffset: this.#starts[next]! }
  }

  /** The epoch in which the record at `offset` was written; −1 when that is not known. */
  epochFor(offset: number): number {
    let index = this.#starts.length - 1
    while (index >= 0 && this.#starts[index]! > offset) index--
    return index < 0 ? -1 : this.#epochs[index]!
  }

  /** Forgets epochs that begin at or above `endOffset`. True when there were any. */
  truncateFromEnd(endOffset: number): boolean {
    let keep = this.#starts.length
    while (keep > 0 && this.#starts[keep - 1]! >= endOffset) keep--
    if (keep === this.#starts.length) return false
    this.#epochs.length = this.#starts.length = keep
    return true
  }

  /** Lets the epoch that holds `startOffset` begin there and forgets those before it. True when that changed anything. */
  truncateFromStart(startOffset: number): boolean {
    let first = 0
    while (first < this.#starts.length && this.#starts[first]! <= startOffset) first++
    first--
    if (first < 0 || (first === 0 && this.#starts[0] === startOffset)) return false
    this.#epochs.splice(0, first)
    this.#starts.splice(0, first)
    this.#starts[0] = startOffset
    return true
  }

  clear(): void {
    this.#epochs.length = this.#starts.length = 0
  }

  /** Kafka's `leader-epoch-checkpoint`: format version, number of entries, then `epoch offset` a line. */
  toText(): string {
    return `0\n${this.size}\n${this.entries()
      .map(([epoch, start]) => `${epoch} ${start}\n`)
      .join('')}`
  }

  /** Null when the text is not such a file, as after a crash of a system that does not replace files atomically. */
  static fromText(text: string): LeaderEpochs | null {
    const lines = text.split('\n')
    if (lines[0] !== '0' || lines.at(-1) !== '' || Number(lines[1]) !== lines.length - 3) return null
    const epochs = new LeaderEpochs()
    for (const line of lines.slice(2, -1)) {
      const match = /^(\d{1,10}) (\d{1,16})$/.exec(line)
      if (match === null || Number(match[1]) <= epochs.latestEpoch) return null
      epochs.assign(Number(match[1]), Number(match[2]))
    }
    return epochs
  }
}
