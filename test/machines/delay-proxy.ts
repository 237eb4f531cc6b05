import { connect, createServer, type Server, type Socket } from 'node:net'

/** Passes TCP streams on, every byte `ms` later. */
export class DelayProxy {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  constructor(target: { host: string; port: number }, ms: number) {
    this.#server = createServer(near => {
      const far = connect(target)
      this.#pass(near, far, ms)
      this.#pass(far, near, ms)
    })
  }

  /** Resolves with the port that it got. */
  listen(host: string): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(0, host, () => resolve((this.#server.address() as { port: number }).port))
    })
  }

  /** Streams under way are cut. */
  close(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  #pass(from: Socket, to: Socket, ms: number): void {
    this.#sockets.add(from)
    from.setNoDelay(true)
    from.on('data', bytes => setTimeout(() => to.writable && to.write(bytes), ms))
    from.on('end', () => setTimeout(() => to.end(), ms))
    from.on('error', () => to.destroy())
    from.on('close', () => {
      this.#sockets.delete(from)
      setTimeout(() => to.destroy(), ms)
    })
  }
}
