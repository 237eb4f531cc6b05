import { FrameReader } from '../protocol/frames.ts'
import { readRequestHeader, requestHeaderVersion, responseFrame } from '../protocol/header.ts'
import { ApiVersions } from '../protocol/messages/api-versions.ts'
import { Metadata } from '../protocol/messages/metadata.ts'
import { Reader } from '../protocol/reader.ts'
import type { Api, Fields, FieldsIn, FieldsOut } from '../protocol/schema.ts'
import type { Address, Listener, Socket } from '../world/world.ts'
import type { ClientWorld } from './options.ts'

/** What a scripted broker does with a request: answer it, say nothing, or hang up. */
export type Reply<Response> = Response | 'silence' | 'hang up'

interface Part {
  readonly api: Api
  readonly min: number
  readonly max: number
  reply(request: unknown, version: number): Reply<unknown> | Promise<Reply<unknown>>
}

/**
 * A broker on a real socket that says what a test tells it to: for errors that a healthy broker does not make. It knows the
 * APIs that were given to `on`, besides ApiVersions.
 */
export class ScriptedBroker {
  readonly #world: ClientWorld
  readonly #parts = new Map<number, Part>()
  readonly #sockets = new Set<Socket>()
  readonly #listener: Listener
  /** Names and versions of all requests that came, in order: `Metadata v13`. */
  readonly heard: string[] = []

  static async start(world: ClientWorld): Promise<ScriptedBroker> {
    let broker: ScriptedBroker | null = null
    const listener = await world.net.listen({ host: '127.0.0.1', port: 0 }, socket => broker?.serve(socket))
    broker = new ScriptedBroker(world, listener)
    return broker
  }

  private constructor(world: ClientWorld, listener: Listener) {
    this.#world = world
    this.#listener = listener
    this.on(ApiVersions, () => this.#versions())
  }

  get address(): Address {
    return this.#listener.address
  }

  /** Scripts an API. The last script counts. */
  on<Request extends Fields, Response extends Fields>(
    api: Api<Request, Response>,
    reply: (
      request: FieldsOut<Request>,
      version: number,
    ) => Reply<FieldsIn<Response>> | Promise<Reply<FieldsIn<Response>>>,
    { min = api.versions.min, max = api.versions.max } = {},
  ): this {
    this.#parts.set(api.key, { api: api as unknown as Api, min, max, reply: reply as Part['reply'] })
    return this
  }

  /** A topic whose partitions are all led here. `how` is asked anew for each answer. */
  withTopic(
    name: string,
    partitions: number,
    how: () => { leaderEpoch?: number; topicId?: string } = () => ({}),
  ): this {
    return this.on(Metadata, () => {
      const { leaderEpoch = -1, topicId = 'BAAAAAAAAAAAAAAAAAAAAA' } = how()
      return {
        brokers: [{ nodeId: 0, ...this.address }],
        clusterId: 'scripted',
        controllerId: 0,
        topics: [
          {
            errorCode: 0,
            name,
            topicId,
            partitions: Array.from({ length: partitions }, (_, partitionIndex) => ({
              errorCode: 0,
              partitionIndex,
              leaderId: 0,
              leaderEpoch,
              replicaNodes: [0],
              isrNodes: [0],
            })),
          },
        ],
      }
    })
  }

  /** How often an API was asked. */
  count(name: string): number {
    return this.heard.filter(each => each.startsWith(`${name} `)).length
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await this.#listener.close()
  }

  #versions(): FieldsIn<typeof ApiVersions.response.fields> {
    const apiKeys = [...this.#parts.values()].map(({ api, min, max }) => ({
      apiKey: api.key,
      minVersion: min,
      maxVersion: max,
    }))
    return { errorCode: 0, apiKeys }
  }

  private serve(socket: Socket): void {
    this.#sockets.add(socket)
    const frames = new FrameReader(
      {
        frame: bytes => {
          void this.#handle(socket, Buffer.from(bytes))
          return true
        },
        refuse: () => socket.destroy(),
        ready: () => true,
      },
      1 << 26,
    )
    socket.onClose(() => this.#sockets.delete(socket))
    socket.receive({ space: () => frames.space(), data: bytes => frames.data(bytes), end: () => socket.destroy() })
  }

  async #handle(socket: Socket, bytes: Buffer): Promise<void> {
    const part = this.#parts.get(bytes.readInt16BE(0))
    const version = bytes.readInt16BE(2)
    if (part === undefined) return socket.destroy()
    this.heard.push(`${part.api.name} v${version}`)
    const reader = new Reader(bytes)
    const known = version >= part.min && version <= part.max
    if (!known && part.api.key === ApiVersions.key) {
      const answer = { ...this.#versions(), errorCode: 35 }
      return socket.write(responseFrame(ApiVersions, 0, bytes.readInt32BE(4), answer))
    }
    const header = readRequestHeader(reader, requestHeaderVersion(part.api, version))
    const reply = await part.reply(part.api.request.readFrom(reader, version), version)
    if (reply === 'hang up') socket.destroy()
    else if (reply !== 'silence') {
      socket.write(responseFrame(part.api, version, header.correlationId, reply as never))
    }
  }

  /** The world it lives in, for clients of it. */
  get world(): ClientWorld {
    return this.#world
  }
}
