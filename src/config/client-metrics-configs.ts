import { metrics } from './broker/reasons.ts'
import { int, list, listOf } from './definition.ts'

/** What a client metrics subscription (KIP-714) can be given. */
export const clientMetricsSettings = {
  'interval.ms': int(300_000).ignored(metrics),
  match: list('', listOf([], { empty: true })).ignored(metrics),
  metrics: list('', listOf([], { empty: true })).ignored(metrics),
}
