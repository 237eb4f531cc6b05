import { FrameReader, type FrameSink } from '../protocol/frames.ts'
import { Line } from '../replication/line.ts'
import type { Socket } from '../world/world.ts'
import type { ApiEntry } from './api-entry.ts'
import type { Budget } from './budget.ts'
import { type OpenedRequest, openRequest, Refused, sealResponse } from './envelope.ts'
import { beginsLikeHttp, type DoorName, Guest, longestFrame } from './guest.ts'
import { type Asked, Later, type Peer } from './handler.ts'
import type { Server } from './server.ts'

/** One request on its way, from its bytes to its answer: answers leave in the order of the requests, however they are finished. */
class Exchange implements Asked<Server> {
  readonly broker: Server
  readonly peer: Connection
  /** Bytes of the request, counted against the connection and `budget` until its answer has left. */
  readonly bytes: number
  readonly budget: Budget
  version = 0
  clientId = ''
  /** null: nothing to send; undefined: not finished. */
  answer: readonly Uint8Array[] | null | undefined = undefined
  answerBytes = 0
  /** What lent its memory to the answer. */
  sent: (() => void) | null = null
  /** Monotonic ms. */
  started = 0

  constructor(broker: Server, peer: Connection, bytes: number, budget: Budget) {
    this.broker = broker
    this.peer = peer
    this.bytes = bytes
    this.budget = budget
  }

  get node(): unknown {
    return this.broker.servicesFor(this.peer)
  }

  onSent(run: () => void): void {
    if (this.peer.closed) run()
    else this.sent = run
  }
}

/** A client with more than this many requests unanswered is read no further until some are. */
const mostInFlight = 512
/** Answers that the client does not take: above this many bytes its further requests wait. */
const mostUnsent = 1024 * 1024

/**
 * Requests, and bytes of each, with which a connection may say who it is though clients have filled their budget: another
 * node, for whose Fetches their records wait, comes as one that nobody knows.
 */
const mostGreetings = 8
const longestGreeting = 1024

/** Bytes up to which answers that leave together are joined. */
const smallAnswer = 4096

/**
 * A Kafka connection: cuts frames, hands requests to their handlers in order, sends answers in order, and stops reading
 * when too much is in flight in either direction. One that turns out to speak HTTP is handed to the doors; for those that
 * speak Kafka's protocol that costs nothing, since the letters of a method are a length that is refused anyway.
 */
export class Connection implements Peer, FrameSink {
  readonly #broker: Server
  readonly #socket: Socket
  readonly #frames: FrameReader
  readonly #slots: Exchange[] = []
  readonly #onClose = new Line<() => void>()
  #bytesInFlight = 0
  /** Requests that came, up to `mostGreetings`. */
  #greetings = 0
  /** Answers that are ready, but not yet handed to the socket. */
  #bytesAnswered = 0
  /** Requests whose handlers are not ready yet: those behind them must not overtake. */
  #holds = 0
  #paused = false
  #flushing = false
  #closing = false
  #closed = false
  readonly own: boolean
  /** Nothing that looked like a request has come yet. */
  #fresh = true
  #guest: Guest | null = null
  /** Monotonic ms of the last byte in either direction. */
  lastActive: number
  software = ''
  node = false
  fetching: Promise<void> | null = null
  hurryFetch: (() => void) | null = null

  /** `door`: it came to a port of that door's own. `own`: it came from a door of this process. */
  constructor(broker: Server, socket: Socket, door: DoorName | null = null, own = false) {
    this.own = own
    this.#broker = broker
    this.#socket = socket
    this.#frames = new FrameReader(this, Math.min(broker.limits.requestBytes, longestFrame))
    this.lastActive = broker.world.clock.mono()
    socket.onDrain(() => (this.#guest === null ? this.#proceed() : this.#guest.drained()))
    socket.onClose(error => this.#ended(error))
    if (door !== null) {
      this.#handOver(door)
      return
    }
    socket.receive({
      space: () => this.#frames.space(),
      data: bytes => {
        this.lastActive = this.#broker.world.clock.mono()
        this.#broker.metrics.bytesIn += bytes
        this.#frames.data(bytes)
        if (!this.#ready && this.#guest === null) this.#pause()
      },
      end: () => this.finish(),
    })
  }

  get local() {
    return this.#socket.local
  }

  get remote() {
    return this.#socket.remote
  }

  get closed(): boolean {
    return this.#closed
  }

  get idle(): boolean {
    // Who asks and takes no answer is as good as gone.
    return this.#slots.length === 0 && !(this.#guest?.busy === true && this.#socket.unsent === 0)
  }

  /** Nothing is asked that has no answer, and the answers have left. */
  get answered(): boolean {
    return this.#slots.length === 0 && this.#guest?.busy !== true && this.#socket.unsent === 0
  }

  onClose(run: () => void): () => void {
    const place = this.#onClose.add(run)
    return () => this.#onClose.leave(place)
  }

  hold(until: Promise<unknown>): void {
    this.#holds++
    const release = () => {
      this.#holds--
      this.#proceed()
    }
    until.then(release, release)
  }

  get #ready(): boolean {
    return this.ready(this.#frames.next)
  }

  ready(bytes: number): boolean {
    return (
      this.#holds === 0 &&
      !this.#closing &&
      this.#slots.length < mostInFlight &&
      this.#bytesInFlight < this.#broker.limits.connectionBytesInFlight &&
      (!this.#budget.full || (this.#greetings < mostGreetings && bytes <= longestGreeting)) &&
      this.#bytesAnswered + this.#socket.unsent < mostUnsent
    )
  }

  get #budget(): Budget {
    return this.node ? this.#broker.ofNodes : this.#broker.ofClients
  }

  refuse(reason: string): void {
    if (this.#fresh && this.#broker.doors !== null && this.#frames.beginsWith(beginsLikeHttp)) {
      this.#handOver(null)
      return
    }
    this.#broker.logger.warn(`closed a connection that sent ${reason}`, { client: this.#socket.remote.host })
    this.destroy()
  }

  /** From here on another door reads and writes; only the counting stays here. */
  #handOver(door: DoorName | null): void {
    const first = this.#frames.surrender()
    const guest = new Guest(this.#socket, (read, written) => {
      this.lastActive = this.#broker.world.clock.mono()
      this.#broker.metrics.bytesIn += read
      this.#broker.metrics.bytesOut += written
    })
    this.#guest = guest
    this.#paused = false
    if (this.#broker.doors === null) this.destroy()
    else this.#broker.doors.enter(guest, first, door)
  }

  frame(bytes: Buffer): boolean {
    this.#fresh = false
    const slot = new Exchange(this.#broker, this, bytes.length, this.#budget)
    this.#slots.push(slot)
    this.#bytesInFlight += slot.bytes
    slot.budget.bytes += slot.bytes
    if (this.#greetings < mostGreetings) this.#greetings++
    this.#broker.metrics.requests++
    const api = this.#broker.api(bytes)
    if (api === null || api.handler !== null) return this.#handle(bytes, api, slot)
    const loading = api.load().then(() => {
      if (!this.#closed) this.#handle(bytes, api, slot)
    })
    loading.catch(error => this.#bug(error))
    this.hold(loading)
    return false
  }

  #handle(bytes: Buffer, api: ApiEntry | null, slot: Exchange): boolean {
    let opened: OpenedRequest
    try {
      opened = openRequest(bytes, api?.served ?? null, api?.handler ?? null)
    } catch (error) {
      if (error instanceof Refused) this.refuse(error.message)
      else this.#bug(error)
      return true
    }
    slot.version = opened.version
    slot.clientId = opened.clientId
    slot.started = this.#broker.world.clock.mono()
    const holds = this.#holds
    try {
      const reply = opened.handler.handle(opened.request as never, slot as never)
      if (reply instanceof Later) reply.whenAnswered(value => this.#answer(slot, opened, value))
      else if (reply instanceof Promise) {
        reply.then(
          value => this.#answer(slot, opened, value),
          error => this.#bug(error),
        )
        // Who holds back those behind has not looked at the bytes to their end.
        return !opened.handler.keepsBytes && this.#holds === holds
      } else this.#answer(slot, opened, reply)
    } catch (error) {
      this.#bug(error)
    }
    return !opened.handler.keepsBytes
  }

  #answer(slot: Exchange, opened: OpenedRequest, value: unknown): void {
    if (this.#closed) return
    this.#broker.metrics.observe(opened.handler.api.key, this.#broker.world.clock.mono() - slot.started)
    try {
      slot.answer = value === null ? null : sealResponse(opened, value)
      if (slot.answer !== null) for (const { length } of slot.answer) slot.answerBytes += length
      this.#bytesAnswered += slot.answerBytes
    } catch (error) {
      this.#bug(error)
      return
    }
    if (this.#slots[0] !== slot || this.#flushing) return
    this.#flushing = true
    // Answers that become ready in one go leave in one vectored write.
    queueMicrotask(() => this.#flush())
  }

  #flush(): void {
    this.#flushing = false
    if (this.#closed) return
    const slots = this.#slots
    let chunks: readonly Uint8Array[] | null = null
    let sent: (() => void) | null = null
    let done = 0
    let answered = 0
    for (; done < slots.length; done++) {
      const slot = slots[done] as Exchange
      const { answer, answerBytes, bytes, budget } = slot
      if (answer === undefined) break
      sent = both(sent, slot.sent)
      this.#bytesInFlight -= bytes
      this.#broker.release(budget, bytes)
      answered += answerBytes
      if (answer !== null) chunks = chunks === null ? answer : [...chunks, ...answer]
    }
    if (done === 1) slots.shift()
    else slots.splice(0, done)
    if (chunks !== null) {
      this.#bytesAnswered -= answered
      this.#broker.metrics.bytesOut += answered
      this.lastActive = this.#broker.world.clock.mono()
      this.#socket.write(together(chunks, answered), sent ?? undefined)
    } else sent?.()
    if (this.#closing && slots.length === 0) this.#socket.end()
    else this.#proceed()
  }

  #pause(): void {
    if (this.#paused) return
    this.#paused = true
    this.#socket.pause()
  }

  /** There may be room again. */
  #proceed(): void {
    if (this.#closed || !this.#ready) return
    this.#frames.resume()
    if (this.#paused && this.#ready) {
      this.#paused = false
      this.#socket.resume()
    }
  }

  /** The whole broker has room again. */
  proceed(): void {
    if (this.#paused) this.#proceed()
  }

  /** Reads no more, answers what was asked, then closes. */
  finish(): void {
    this.#closing = true
    if (this.#guest !== null) {
      this.#guest.finish()
      return
    }
    this.#pause()
    if (this.#slots.length === 0) this.#socket.end()
  }

  destroy(): void {
    // The end comes a moment later; what has been received already must not be handled any more.
    this.#closing = true
    this.#socket.destroy()
  }

  #bug(error: unknown): void {
    this.#broker.logger.error('a request failed unexpectedly; the connection is closed', {
      client: this.#socket.remote.host,
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    })
    this.destroy()
  }

  #ended(error: Error | null): void {
    if (this.#closed) return
    this.#closed = true
    this.#guest?.ended(error)
    this.#bytesInFlight = 0
    for (const { budget, bytes, sent } of this.#slots) {
      this.#broker.release(budget, bytes)
      sent?.()
    }
    this.#slots.length = 0
    this.#onClose.each(run => run())
    this.#onClose.clear()
    this.#broker.forget(this)
  }
}

function both(first: (() => void) | null, second: (() => void) | null): (() => void) | null {
  if (first === null || second === null) return first ?? second
  return () => {
    first()
    second()
  }
}

/** A few small pieces are cheaper to copy than to hand over one by one. */
function together(chunks: readonly Uint8Array[], bytes: number): readonly Uint8Array[] {
  return chunks.length > 1 && bytes <= smallAnswer ? [Buffer.concat(chunks, bytes)] : chunks
}
