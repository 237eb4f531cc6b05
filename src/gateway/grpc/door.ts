import type { Door } from '../doors.ts'
import type { Gateway } from '../gateway.ts'
import type { GuestStream } from '../guest-stream.ts'
import { Turns } from '../turns.ts'
import type { DoorContext } from './context.ts'
import { broker } from './handlers/broker.ts'
import { health } from './handlers/health.ts'
import { leases } from './handlers/leases.ts'
import { records } from './handlers/records.ts'
import { reflection } from './handlers/reflection.ts'
import { served } from './implementation.ts'
import { costOfTurn, GrpcServer } from './server.ts'
import { Broker, brokerProto } from './services/broker.ts'
import { Health, healthProto } from './services/health.ts'
import { Leases, leasesProto } from './services/leases.ts'
import { Records, recordsProto } from './services/records.ts'
import { reflectionV1, reflectionV1Alpha } from './services/reflection.ts'
import { Status } from './status.ts'

const files = [brokerProto, recordsProto, leasesProto, healthProto, reflectionV1.file, reflectionV1Alpha.file]

/** Everything that is served, by path. */
export function allPaths(context: DoorContext) {
  const names = [Broker.fullName, Records.fullName, Leases.fullName]
  const reflecting = reflection(files)
  return new Map([
    ...served(Broker, broker(context)),
    ...served(Records, records(context)),
    ...served(Leases, leases(context)),
    ...served(Health, health(context, names)),
    ...served(reflectionV1.service, reflecting),
    ...served(reflectionV1Alpha.service, reflecting),
  ])
}

/** What clients did wrong, by their codes; the rest is ours. */
const clientsFaults: ReadonlySet<number> = new Set([
  Status.CANCELLED,
  Status.INVALID_ARGUMENT,
  Status.NOT_FOUND,
  Status.ALREADY_EXISTS,
  Status.PERMISSION_DENIED,
  Status.RESOURCE_EXHAUSTED,
  Status.FAILED_PRECONDITION,
  Status.OUT_OF_RANGE,
  Status.UNIMPLEMENTED,
  Status.UNAUTHENTICATED,
])

/** A code as HTTP would have it, for counting. */
const statusOf = (code: number): number => (code === Status.OK ? 200 : clientsFaults.has(code) ? 400 : 500)

export function openGrpc(gateway: Gateway): Door {
  return new GrpcDoor(gateway)
}

class GrpcDoor implements Door {
  readonly #server: GrpcServer

  constructor(gateway: Gateway) {
    const { world, logger, config, metrics, stopping, client } = gateway
    const serving = () => gateway.node.server.open && !stopping.aborted
    const puller = async () => (await import('../leases/puller.ts')).pullerOf(gateway)
    const events = async () => (await import('../events/of-gateway.ts')).eventDesk(gateway)
    const telling = new Turns(world.timers, costOfTurn)
    const paths = allPaths({ client, puller, events, world, config, telling, serving, stopping })
    this.#server = new GrpcServer(paths, {
      world,
      logger,
      limits: { calls: config.get('grpc.max.calls'), messageBytes: config.get('grpc.max.message.bytes') },
      holds: more => {
        metrics.messageBytes += more
      },
      observe: (method, code, ms) => metrics.observe(`grpc ${method}`, statusOf(code), ms),
    })
    metrics.grpc = this.#server
  }

  enter(stream: GuestStream): void {
    stream.onFinish = this.#server.enter(stream, more => stream.busyWith(stream.asked + more))
  }

  async close(): Promise<void> {
    this.#server.close()
  }
}
