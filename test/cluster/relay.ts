import { connect, createServer, type Server, type Socket } from 'node:net'

/** Stands between a node and a server: it can swallow everything, as a network that is cut does, or one answer. */
export class Relay {
  readonly #server: Server
  readonly #target: () => number
  readonly #sockets = new Set<Socket>()
  #cut = false
  /** The answer to what matches is lost, with the connection. */
  lose: RegExp | null = null

  static async start(target: () => number): Promise<Relay> {
    const relay = new Relay(target)
    await new Promise<void>(resolve => relay.#server.listen(0, '127.0.0.1', () => resolve()))
    return relay
  }

  constructor(target: () => number) {
    this.#target = target
    this.#server = createServer(socket => this.#accept(socket))
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port
  }

  cut(): void {
    this.#cut = true
  }

  /** What was swallowed does not come any more: connections that had some end. */
  heal(): void {
    this.#cut = false
    for (const socket of this.#sockets) socket.destroy()
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise(resolve => this.#server.close(resolve))
  }

  #accept(client: Socket): void {
    const server = connect(this.#target(), '127.0.0.1')
    let losing = false
    this.#keep(client, server)
    this.#keep(server, client)
    client.on('data', data => {
      if (this.#cut) return
      if (this.lose?.test(data.toString('latin1')) === true) {
        this.lose = null
        losing = true
      }
      server.write(data)
    })
    server.on('data', data => {
      if (this.#cut) return
      if (losing) client.destroy()
      else client.write(data)
    })
  }

  #keep(socket: Socket, other: Socket): void {
    this.#sockets.add(socket)
    socket.setNoDelay(true)
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#sockets.delete(socket)
      // A cut network says nothing of an end either.
      if (!this.#cut) other.destroy()
    })
  }
}
