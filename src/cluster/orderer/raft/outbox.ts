import type { RaftIo, RaftRequest, Target } from './types.ts'

/** A request of ours whose answer is awaited. */
export interface Pending {
  readonly request: RaftRequest
  /** Of our role: an answer to what we were before only tells of epochs. */
  readonly term: number
}

/** Answers that never come leave nothing behind. */
const mostPending = 1000

/** What we have asked: each answer counts once. */
export class Outbox {
  readonly #io: Pick<RaftIo<never>, 'send'>
  readonly #pending = new Map<number, Pending>()
  #tokens = 0

  constructor(io: Pick<RaftIo<never>, 'send'>) {
    this.#io = io
  }

  send(to: Target, request: RaftRequest, term: number): void {
    const token = ++this.#tokens
    if (this.#pending.size >= mostPending) this.#pending.delete(this.#pending.keys().next().value!)
    this.#pending.set(token, { request, term })
    this.#io.send(to, request, token)
  }

  /** Null when it was answered, or given up, before. */
  take(token: number): Pending | null {
    const pending = this.#pending.get(token) ?? null
    this.#pending.delete(token)
    return pending
  }
}
