import { crc32c } from '../../src/protocol/batches/crc32c.ts'
import type { Address, Listener, Net, Socket } from '../../src/world/world.ts'
import type { Dice } from './dice.ts'
import type { Events } from './events.ts'
import type { Machine, Process } from './machine.ts'
import type { Story } from './story.ts'

/** ms and shares; each run draws its own. */
export interface NetworkManners {
  /** One way. */
  latency: number
  jitter: number
  /** Of segments that have to be sent again: TCP makes of a loss a stall. */
  loss: number
  /** Of segments that arrive in two pieces. */
  split: number
  /** Bytes on the way or unread; more wait at the sender. */
  window: number
}

interface Bound {
  readonly process: Process
  readonly accept: (socket: Socket) => void
}

const firstEphemeral = 32768
/** ms after which TCP sends again what was not acknowledged: least, most. */
const retransmission = [200, 1200] as const
/** ms between attempts to connect to what does not answer, in all about what Linux waits. */
const synBackoff = [1000, 2000, 4000, 8000, 16_000, 32_000, 64_000]

/** All cables, switches and kernels between the processes. */
export class Network {
  readonly machines = new Map<string, Machine>()
  readonly manners: NetworkManners = { latency: 0.2, jitter: 0.2, loss: 0, split: 0.05, window: 256 * 1024 }
  readonly events: Events
  readonly dice: Dice
  readonly story: Story
  readonly #bound = new Map<string, Bound>()
  /** `from>to`: nothing gets through in that direction. */
  readonly #cut = new Set<string>()
  /** Extra ms from a machine or to it. */
  readonly slow = new Map<string, number>()
  readonly #ends = new Set<NetworkEnd>()
  readonly #stalled = new Set<NetworkEnd>()
  #nextPort = firstEphemeral

  constructor(events: Events, dice: Dice, story: Story) {
    this.events = events
    this.dice = dice
    this.story = story
  }

  of(process: Process): Net {
    return {
      listen: (address, accept) => this.#listen(process, address, accept),
      connect: address => this.#connect(process, address),
      addresses: () => [process.machine.host],
    }
  }

  cut(from: Machine, to: Machine): void {
    this.#cut.add(`${from.host}>${to.host}`)
  }

  heal(): void {
    this.#cut.clear()
    this.slow.clear()
    this.retransmit()
  }

  /** What stalled is sent again, each connection in its own time. */
  retransmit(): void {
    const stalled = [...this.#stalled]
    this.#stalled.clear()
    for (const end of stalled) end.retransmit()
  }

  stalls(end: NetworkEnd): void {
    this.#stalled.add(end)
  }

  get whole(): boolean {
    return this.#cut.size === 0
  }

  reaches(from: Machine, to: Machine): boolean {
    return from.up && to.up && !this.#cut.has(`${from.host}>${to.host}`)
  }

  /** ms from one machine to another. */
  delay(from: Machine, to: Machine): number {
    const { latency, jitter } = this.manners
    if (from === to) return 0.02
    return latency + this.dice.fraction() * jitter + (this.slow.get(from.host) ?? 0) + (this.slow.get(to.host) ?? 0)
  }

  /** Some connection that is open. */
  pick(dice: Dice): NetworkEnd | null {
    const open = [...this.#ends]
    return open.length === 0 ? null : dice.pick(open)
  }

  processDied(process: Process): void {
    for (const [name, bound] of this.#bound) if (bound.process === process) this.#bound.delete(name)
    for (const end of [...process.sockets]) end.abandon(true)
  }

  vanished(process: Process): void {
    for (const [name, bound] of this.#bound) if (bound.process === process) this.#bound.delete(name)
    for (const end of [...process.sockets]) end.abandon(false)
  }

  opened(end: NetworkEnd): void {
    this.#ends.add(end)
    end.process.sockets.add(end)
  }

  gone(end: NetworkEnd): void {
    this.#ends.delete(end)
    end.process.sockets.delete(end)
  }

  #listen(process: Process, { host, port }: Address, accept: (socket: Socket) => void): Promise<Listener> {
    const own = process.machine.host
    const local = /^(0\.0\.0\.0|::|localhost|127\.0\.0\.1|)$/.test(host)
    if (!local && host !== own) return Promise.reject(failure('EADDRNOTAVAIL', host))
    const bound = { host: own, port: port === 0 ? this.#nextPort++ : port }
    const name = `${own}:${bound.port}`
    if (this.#bound.has(name)) return Promise.reject(failure('EADDRINUSE', name))
    this.#bound.set(name, { process, accept })
    const listener: Listener = {
      address: bound,
      close: async () => {
        if (this.#bound.get(name)?.process === process) this.#bound.delete(name)
      },
    }
    return Promise.resolve(listener)
  }

  #connect(process: Process, address: Address): Promise<Socket> {
    const local = { host: process.machine.host, port: this.#nextPort++ }
    return new Promise((resolve, reject) => {
      const fail = (code: string) => {
        this.events.enter(process, () => reject(failure(code, `${address.host}:${address.port}`)))
      }
      const attempt = (number: number) => {
        const from = process.machine
        const to = this.machines.get(address.host === 'localhost' ? from.host : address.host)
        if (to === undefined) return void this.events.in(1, null, () => fail('ENOTFOUND'))
        const again = () => {
          const pause = synBackoff[number]
          if (pause === undefined) fail('ETIMEDOUT')
          else this.events.in(pause, process, () => attempt(number + 1))
        }
        this.events.in(this.delay(from, to), null, () => {
          if (!process.alive) return
          if (!this.reaches(from, to) || !this.reaches(to, from)) return again()
          const bound = this.#bound.get(`${to.host}:${address.port}`)
          const back = this.delay(to, from)
          if (bound === undefined) return void this.events.in(back, null, () => fail('ECONNREFUSED'))
          const client = new NetworkEnd(this, process, local, { host: to.host, port: address.port })
          const server = new NetworkEnd(this, bound.process, client.remote, local)
          client.meet(server)
          server.meet(client)
          this.events.enter(bound.process, () => bound.accept(server))
          const connected = () => {
            if (client.open) this.events.enter(process, () => resolve(client))
            else fail('ECONNRESET')
          }
          this.events.in(back, null, connected, process)
        })
      }
      attempt(0)
    })
  }
}

/** What is on its way: bytes, the end of the stream, or a reset. */
interface Segment {
  readonly what: 'bytes' | 'end' | 'reset'
  readonly bytes: Buffer
}

const nothing = Buffer.alloc(0)
/** Cheaper than `queueMicrotask`, which makes a resource of each call. */
const settled = Promise.resolve()

/** One end of a connection. */
export class NetworkEnd implements Socket {
  readonly local: Address
  readonly remote: Address
  readonly process: Process
  readonly #network: Network
  #peer: NetworkEnd | null = null
  #state: 'open' | 'gone' = 'open'
  #reader: { space(): Uint8Array; data(bytes: number): void; end(): void } | null = null
  #discards = false
  #paused = false
  #onClose: (error: Error | null) => void = () => {}
  #onDrain: () => void = () => {}
  // Sending.
  #written: { chunks: readonly Uint8Array[]; sent: (() => void) | undefined }[] = []
  #flushing = false
  #queue: Buffer[] = []
  #queuedBytes = 0
  #full = false
  #ending = false
  #endSent = false
  /** Bytes that the other side has not read yet. */
  #onTheWay = 0
  #arrival = 0
  /** What got lost on the way and waits to be sent again. */
  #stalled: Segment[] = []
  #retransmits = false
  /** What is on its way does not arrive any more. */
  #lost = false
  // Receiving.
  #received: Buffer[] = []
  #endReceived = false
  #endRead = false

  constructor(network: Network, process: Process, local: Address, remote: Address) {
    this.#network = network
    this.process = process
    this.local = local
    this.remote = remote
    network.opened(this)
  }

  meet(peer: NetworkEnd): void {
    this.#peer = peer
  }

  get open(): boolean {
    return this.#state === 'open'
  }

  receive(into: { space(): Uint8Array; data(bytes: number): void; end(): void }): void {
    this.#reader = into
    if (this.#received.length > 0 || this.#endReceived) this.#soon(() => this.#deliver())
  }

  write(chunks: readonly Uint8Array[], sent?: () => void): void {
    if (!this.process.alive) return
    if (this.#state === 'gone' || this.#ending) {
      if (sent !== undefined) this.#soon(sent)
      return
    }
    this.#written.push({ chunks, sent })
    if (this.#flushing) return
    this.#flushing = true
    // The kernel takes what was written in one turn together, and it takes it late: memory that is used again too soon shows.
    void settled.then(() => {
      this.#flushing = false
      this.#flush()
    })
  }

  get unsent(): number {
    let bytes = this.#queuedBytes
    for (const { chunks } of this.#written) for (const { length } of chunks) bytes += length
    return bytes
  }

  onDrain(run: () => void): void {
    this.#onDrain = run
  }

  onClose(run: (error: Error | null) => void): void {
    this.#onClose = run
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    if (this.#received.length > 0 || this.#endReceived) this.#soon(() => this.#deliver())
  }

  end(): void {
    if (!this.process.alive || this.#state === 'gone') return
    this.#ending = true
    this.#discards = true
    this.#paused = false
    this.#flush()
    this.#soon(() => this.#deliver())
  }

  destroy(): void {
    if (!this.process.alive || this.#state === 'gone') return
    this.#flush()
    if (this.process.machine.closesHard) {
      this.#lost = true
      this.#stalled = []
    }
    const reset = this.#received.length > 0
    this.#close(null)
    this.#send({ what: reset ? 'reset' : 'end', bytes: nothing })
  }

  /** The process is gone: `told`: its kernel lives and closes the connection. */
  abandon(told: boolean): void {
    if (this.#state === 'gone') return
    if (told) this.#flush()
    this.#state = 'gone'
    this.#network.gone(this)
    if (!told) this.#stalled = []
    if (told) this.#send({ what: this.#received.length > 0 ? 'reset' : 'end', bytes: nothing })
  }

  /** The connection breaks on this side, and, unless `half`, on the other. What is on its way is lost, also amid a frame. */
  reset(half: boolean): void {
    if (this.#state === 'gone') return
    const peer = this.#peer
    this.#network.events.enter(this.process, () => this.#close(failure('ECONNRESET', 'by the network')))
    if (!half && peer !== null && peer.open)
      this.#network.events.enter(peer.process, () => peer.#close(failure('ECONNRESET', 'by the network')))
  }

  /** After the network healed. */
  retransmit(): void {
    if (this.#stalled.length === 0 || this.#retransmits) return
    this.#retransmits = true
    const { events, dice } = this.#network
    events.in(dice.between(...retransmission), null, () => {
      this.#retransmits = false
      const stalled = this.#stalled
      this.#stalled = []
      for (const segment of stalled) this.#arrive(segment)
    })
  }

  #soon(run: () => void): void {
    this.#network.events.in(0, this.process, run)
  }

  /** What was written becomes the kernel's. */
  #flush(): void {
    const written = this.#written
    this.#written = []
    if (written.length > 0) {
      const bytes = Buffer.concat(written.flatMap(({ chunks }) => chunks))
      if (bytes.length > 0) this.#queue.push(bytes)
      this.#queuedBytes += bytes.length
    }
    this.#pump()
    if (this.process.alive) for (const { sent } of written) sent?.()
  }

  #pump(): void {
    const { manners, dice } = this.#network
    while (this.#queue.length > 0 && this.#onTheWay < manners.window) {
      const first = this.#queue.shift() as Buffer
      const fits = manners.window - this.#onTheWay
      const bytes = first.length <= fits ? first : first.subarray(0, fits)
      if (bytes.length < first.length) this.#queue.unshift(first.subarray(bytes.length))
      this.#queuedBytes -= bytes.length
      this.#onTheWay += bytes.length
      if (bytes.length > 1 && dice.chance(manners.split)) {
        const at = 1 + dice.int(bytes.length - 1)
        this.#send({ what: 'bytes', bytes: bytes.subarray(0, at) })
        this.#send({ what: 'bytes', bytes: bytes.subarray(at) })
      } else this.#send({ what: 'bytes', bytes })
    }
    if (this.#full && this.#queuedBytes === 0 && this.process.alive) this.#soon(() => this.#onDrain())
    this.#full = this.#queuedBytes > 0
    if (this.#ending && this.#queuedBytes === 0 && this.#written.length === 0 && !this.#endSent) {
      this.#endSent = true
      this.#send({ what: 'end', bytes: nothing })
      this.#finished()
    }
  }

  #send(segment: Segment): void {
    const peer = this.#peer
    if (peer === null) return
    const { events, dice, manners } = this.#network
    let delay = this.#network.delay(this.process.machine, peer.process.machine)
    if (dice.chance(manners.loss)) delay += dice.between(...retransmission)
    // In order.
    this.#arrival = Math.max(this.#arrival, events.now + delay)
    if (segment.bytes.length > 0) events.note(crc32c(segment.bytes))
    events.in(this.#arrival - events.now, null, () => this.#arrive(segment), peer.process)
  }

  /** At the other machine, or nowhere. */
  #arrive(segment: Segment): void {
    if (this.#lost && segment.what === 'bytes') return
    const peer = this.#peer as NetworkEnd
    if (this.#stalled.length > 0 || !this.#network.reaches(this.process.machine, peer.process.machine)) {
      // A reset is not sent again.
      if (segment.what !== 'reset' && this.process.machine.up) {
        this.#stalled.push(segment)
        this.#network.stalls(this)
      }
      return
    }
    if (!peer.open) {
      if (segment.what === 'bytes') peer.#refuse()
      return
    }
    if (segment.what === 'reset') {
      this.#network.events.enter(peer.process, () => peer.#close(failure('ECONNRESET', 'by the peer')))
      return
    }
    if (segment.what === 'bytes') peer.#received.push(segment.bytes)
    else peer.#endReceived = true
    this.#network.events.enter(peer.process, () => peer.#deliver())
  }

  /** Bytes came for a connection that this machine knows nothing of. */
  #refuse(): void {
    const sender = this.#peer as NetworkEnd
    const { machine } = this.process
    this.#network.events.in(this.#network.delay(machine, sender.process.machine), null, () => {
      if (!this.#network.reaches(machine, sender.process.machine) || !sender.open) return
      this.#network.events.enter(sender.process, () => sender.#close(failure('ECONNRESET', 'by the peer')))
    })
  }

  #deliver(): void {
    while (this.#state === 'open' && this.#received.length > 0 && !this.#paused) {
      if (this.#reader === null && !this.#discards) return
      let bytes = this.#received[0] as Buffer
      if (!this.#discards) {
        const space = (this.#reader as { space(): Uint8Array }).space()
        bytes = bytes.length > space.length ? bytes.subarray(0, space.length) : bytes
        space.set(bytes)
      }
      const rest = (this.#received[0] as Buffer).subarray(bytes.length)
      if (rest.length > 0) this.#received[0] = rest
      else this.#received.shift()
      if (!this.#discards) this.#reader?.data(bytes.length)
      if (this.#peer !== null) this.#peer.#taken(bytes.length)
    }
    if (this.#state === 'gone' || this.#received.length > 0 || !this.#endReceived || this.#endRead) return
    if (this.#reader === null && !this.#discards) return
    this.#endRead = true
    if (!this.#discards) this.#reader?.end()
    this.#finished()
  }

  /** The other side has read so many bytes. */
  #taken(bytes: number): void {
    const full = this.#onTheWay >= this.#network.manners.window
    this.#onTheWay -= bytes
    if (this.#state === 'open' && full && this.#queue.length > 0) this.#soon(() => this.#pump())
  }

  /** When both directions have ended there is no connection any more. */
  #finished(): void {
    if (this.#endSent && this.#endRead) this.#close(null)
  }

  #close(error: Error | null): void {
    if (this.#state === 'gone') return
    this.#state = 'gone'
    this.#network.gone(this)
    const written = this.#written
    this.#written = []
    this.#soon(() => {
      for (const { sent } of written) sent?.()
      this.#onClose(error)
    })
  }
}

function failure(code: string, what: string): Error {
  return Object.assign(new Error(`${code}: ${what}`), { code })
}
