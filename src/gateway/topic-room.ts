/**
 * How much each topic may have under way, so that one whose replicas are gone does not fill what all topics share. Topics that
 * have nothing under way are forgotten.
 */
export class TopicRoom {
  /** Bytes that one topic may have under way. */
  readonly #most: number
  readonly #topics = new Map<string, { bytes: number; readonly waiting: (() => void)[] }>()

  constructor(most: number) {
    this.#most = most
  }

  /** False: there is no room. What is larger than all room there is goes alone. */
  take(topic: string, bytes: number): boolean {
    const found = this.#topics.get(topic)
    if (found === undefined) this.#topics.set(topic, { bytes, waiting: [] })
    else if (found.bytes > 0 && found.bytes + bytes > this.#most) return false
    else found.bytes += bytes
    return true
  }

  /** What was taken is settled. */
  give(topic: string, bytes: number): void {
    const found = this.#topics.get(topic)
    if (found === undefined) return
    found.bytes -= bytes
    if (found.bytes > this.#most / 2) return
    for (const run of found.waiting.splice(0)) run()
    if (found.bytes <= 0) this.#topics.delete(topic)
  }

  /** Fulfilled when half of the topic's room is free: many may be told at the same time. */
  async ready(topic: string): Promise<void> {
    for (let found = this.#topics.get(topic); found !== undefined && found.bytes > this.#most / 2; ) {
      const { waiting } = found
      await new Promise<void>(resolve => waiting.push(resolve))
      found = this.#topics.get(topic)
    }
  }

  get size(): number {
    return this.#topics.size
  }
}
