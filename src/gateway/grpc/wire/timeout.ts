import { GrpcError } from '../status.ts'

const unitMs = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 } as const

/** Timers know no more than this many ms (24 days). */
const mostMs = 2 ** 31 - 1

/** ms that `grpc-timeout` gives, at least 1; null: no deadline. Throws INVALID_ARGUMENT when it is none. */
export function timeoutOf(header: string | string[] | undefined): number | null {
  if (header === undefined) return null
  const [, digits, unit] = /^(\d{1,8})([HMSmun])$/.exec(String(header)) ?? []
  if (digits === undefined) throw new GrpcError('INVALID_ARGUMENT', 'grpc-timeout is up to eight digits and a unit')
  return Math.min(mostMs, Math.max(1, Math.ceil(Number(digits) * unitMs[unit as keyof typeof unitMs])))
}
