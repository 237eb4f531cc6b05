import type { DoorContext } from '../context.ts'
import type { Implementation } from '../implementation.ts'
import { type Health, ServingStatus } from '../services/health.ts'
import { GrpcError } from '../status.ts'

/** ms between looks, for those who watch. */
const lookMs = 1000

const { SERVING = 1, NOT_SERVING = 2, SERVICE_UNKNOWN = 3 } = ServingStatus.values

/** `grpc.health.v1.Health`: all services of a node serve, or none. '' stands for the node. */
export function health(
  { world, serving, stopping }: DoorContext,
  names: readonly string[],
): Implementation<typeof Health> {
  const known = new Set(['', ...names])
  const status = () => (serving() ? SERVING : NOT_SERVING)
  return {
    async Check({ service }) {
      if (!known.has(service)) throw new GrpcError('NOT_FOUND', `there is no service ${service.slice(0, 200)}`)
      return { status: status() }
    },

    async List() {
      return { statuses: new Map([...known].map(name => [name, { status: status() }])) }
    },

    async Watch({ service }, call) {
      let told = -1
      while (!call.signal.aborted && !stopping.aborted) {
        const now = known.has(service) ? status() : SERVICE_UNKNOWN
        if (now !== told) await call.write({ status: now })
        told = now
        await pause(world.timers, [call.signal, stopping])
      }
      await call.write({ status: NOT_SERVING })
    },
  }
}

function pause(timers: DoorContext['world']['timers'], signals: readonly AbortSignal[]): Promise<void> {
  return new Promise(resolve => {
    const done = () => {
      timer.cancel()
      for (const signal of signals) signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = timers.after(lookMs, done)
    for (const signal of signals) signal.addEventListener('abort', done)
  })
}
