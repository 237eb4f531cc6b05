import * as grpc from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'

/** gRPC's own client for JavaScript, for tests: over the `.proto` files that users get. */

// biome-ignore lint/suspicious/noExplicitAny: what a test looks into
export type Answer = Record<string, any>
type Call = (request: object, deadlineMs?: number) => Promise<Answer>
type Stream = (request: object) => grpc.ClientReadableStream<Answer>
type Duplex = () => grpc.ClientDuplexStream<object, Answer>

/** Tests run in the project's folder. */
const includeDirs = ['src/gateway/grpc/proto', 'test/gateway/proto']

const packages = grpc.loadPackageDefinition(
  loadSync(['broker.proto', 'ottla/v1/records.proto', 'ottla/v1/leases.proto', 'grpc/health/v1/health.proto'], {
    keepCase: false,
    longs: Number,
    enums: String,
    defaults: true,
    includeDirs,
  }),
)

export class GrpcClient {
  readonly #client: grpc.Client & Record<string, (...args: unknown[]) => unknown>

  /** `service`: its full name. */
  constructor(address: string, service: string, options: grpc.ClientOptions = {}) {
    // biome-ignore lint/suspicious/noExplicitAny: packages are nested objects of unknown depth
    const found = service.split('.').reduce<any>((scope, name) => scope[name], packages)
    this.#client = new found(address, grpc.credentials.createInsecure(), options)
  }

  call(method: string): Call {
    return (request, deadlineMs) =>
      new Promise((resolve, reject) => {
        const options = deadlineMs === undefined ? {} : { deadline: Date.now() + deadlineMs }
        this.#client[method]!(request, options, (error: Error | null, answer: Answer) =>
          error === null ? resolve(answer) : reject(error),
        )
      })
  }

  stream(method: string): Stream {
    return request => this.#client[method]!(request) as ReturnType<Stream>
  }

  duplex(method: string): Duplex {
    return () => this.#client[method]!() as ReturnType<Duplex>
  }

  close(): void {
    this.#client.close()
  }
}

/** Fulfilled when the server's headers are there: its stream stands. */
export function stands(stream: grpc.ClientReadableStream<unknown>): Promise<grpc.Metadata> {
  return new Promise((resolve, reject) => {
    stream.once('metadata', resolve)
    stream.once('error', reject)
  })
}

/** The next messages of a stream; rejects with the call's error. */
export function take(stream: grpc.ClientReadableStream<Answer>, count: number): Promise<Answer[]> {
  return new Promise((resolve, reject) => {
    const taken: Answer[] = []
    const data = (answer: Answer) => {
      taken.push(answer)
      if (taken.length < count) return
      stream.off('data', data)
      stream.pause()
      resolve(taken)
    }
    stream.on('data', data)
    stream.once('error', reject)
    stream.once('end', () => resolve(taken))
  })
}

export { grpc }
