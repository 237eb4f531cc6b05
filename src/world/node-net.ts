import * as net from 'node:net'
import { networkInterfaces } from 'node:os'
import { DirectWriter } from './node-write.ts'
import type { Address, Listener, Net, Socket } from './world.ts'

/** Sockets of Node, read into memory that the reader hands out (one copy less than `data` events, and larger reads). */
export const nodeNet: Net = {
  listen(address, accept) {
    return new Promise((resolve, reject) => {
      // Node gives `onread` only to sockets made by hand, so each accepted handle is wrapped anew.
      const server = net.createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true }, accepted => {
        const handle = takeHandle(accepted)
        if (handle !== null) accept(new NodeSocket({ handle }))
      })
      server.once('error', reject)
      server.listen({ host: address.host, port: address.port, backlog: 1024 }, () => {
        server.off('error', reject)
        // EMFILE and its kin: the connection is lost, the listener lives on.
        server.on('error', () => {})
        resolve(new NodeListener(server))
      })
    })
  },
  connect(address) {
    return new Promise((resolve, reject) => {
      const socket = new NodeSocket({})
      socket.connect(address, resolve, reject)
    })
  },
  addresses() {
    const found = Object.values(networkInterfaces()).flatMap(addresses => addresses ?? [])
    // Link-local addresses need a zone, which is another one on each machine.
    const usable = found.filter(({ internal, address }) => !internal && !/^(fe80:|169\.254\.)/i.test(address))
    const of = (version: string) => usable.filter(({ family }) => family === version).map(({ address }) => address)
    return [...of('IPv4'), ...of('IPv6')]
  },
}

/** The part of Node's internal TCP handle that we rely on; `null` where a future Node hides it. */
interface Handle {
  close(): void
}

function takeHandle(socket: net.Socket): Handle | null {
  const internals = socket as unknown as { _handle: Handle | null; _server: { _connections: number } | null }
  const handle = internals._handle
  internals._handle = null
  // The wrapper takes over; the server must not wait for the end of the husk.
  if (internals._server !== null) internals._server._connections--
  internals._server = null
  return handle
}

class NodeListener implements Listener {
  readonly address: Address
  readonly #server: net.Server

  constructor(server: net.Server) {
    this.#server = server
    const bound = server.address() as net.AddressInfo
    this.address = { host: plainHost(bound.address), port: bound.port }
  }

  close(): Promise<void> {
    return new Promise(resolve => this.#server.close(() => resolve()))
  }
}

/** Node wants memory before there is a reader. Filled and emptied within one callback, so that all sockets can share it. */
const landing = new Uint8Array(4096)

class NodeSocket implements Socket {
  readonly #socket: net.Socket
  #reader: { space(): Uint8Array; data(bytes: number): void; end(): void } | null = null
  /** Whose memory Node has: it asks for that of the next bytes long before they come. */
  #lender: unknown = null
  #direct: DirectWriter | null = null
  #drained: () => void = () => {}
  local: Address = { host: '', port: 0 }
  remote: Address = { host: '', port: 0 }

  constructor(options: { handle?: Handle }) {
    const onread = {
      buffer: () => {
        this.#lender = this.#reader
        return this.#reader?.space() ?? landing
      },
      callback: (bytes: number, memory: Uint8Array) => {
        if (this.#lender === null || this.#lender !== this.#reader) this.#landed(memory, bytes)
        else this.#reader.data(bytes)
        return true
      },
    }
    // What is accepted is not read before there is a reader.
    const asked = { ...options, allowHalfOpen: true, pauseOnCreate: true, onread }
    this.#socket = new net.Socket(asked as unknown as net.SocketConstructorOpts)
    this.#socket.setNoDelay(true)
    this.#socket.on('end', () => this.#reader?.end())
    if (options.handle !== undefined) this.#note()
  }

  connect(address: Address, resolve: (socket: Socket) => void, reject: (error: Error) => void): void {
    this.#socket.once('error', reject)
    this.#socket.connect({ host: address.host, port: address.port }, () => {
      this.#socket.off('error', reject)
      this.#note()
      resolve(this)
    })
  }

  #note(): void {
    const { localAddress = '', localPort = 0, remoteAddress = '', remotePort = 0 } = this.#socket
    this.local = { host: plainHost(localAddress), port: localPort }
    this.remote = { host: plainHost(remoteAddress), port: remotePort }
  }

  /** What came into memory that is not the reader's. */
  #landed(memory: Uint8Array, bytes: number): void {
    for (let from = 0; from < bytes && this.#reader !== null; ) {
      const space = this.#reader.space()
      const part = memory.subarray(from, Math.min(bytes, from + space.length))
      space.set(part)
      this.#reader.data(part.length)
      from += part.length
    }
  }

  receive(into: { space(): Uint8Array; data(bytes: number): void; end(): void }): void {
    this.#reader = into
    this.#socket.resume()
  }

  write(chunks: readonly Uint8Array[], sent?: () => void): void {
    const socket = this.#socket
    this.#direct ??= DirectWriter.open(socket, () => this.#drained())
    if (this.#direct !== null) {
      this.#direct.write(chunks, sent)
      return
    }
    const last = chunks.length - 1
    if (last > 0) socket.cork()
    for (let i = 0; i < last; i++) socket.write(chunks[i] as Uint8Array)
    socket.write(chunks[last] as Uint8Array, sent)
    if (last > 0) socket.uncork()
  }

  get unsent(): number {
    return this.#direct === null ? this.#socket.writableLength : this.#direct.unsent
  }

  onDrain(run: () => void): void {
    this.#drained = run
    this.#socket.on('drain', run)
  }

  onClose(run: (error: Error | null) => void): void {
    let failure: Error | null = null
    this.#socket.on('error', error => {
      failure = error
    })
    this.#socket.on('close', () => run(failure))
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  end(): void {
    this.#socket.end()
    // The peer's own end must be read, or the socket never closes; what comes before it has no reader any more.
    this.#reader = null
    this.#socket.resume()
  }

  destroy(): void {
    this.#socket.destroy()
  }
}

/** `::ffff:10.0.0.1` is an IPv4 address in an IPv6 coat; clients want the address. */
function plainHost(host: string): string {
  return host.startsWith('::ffff:') ? host.slice(7) : host
}
