import type { ClusterClientStats } from './cluster-client.ts'

/** What was asked of one operation: plain counters, read at scrape time. Times are ms. */
export interface OperationMetrics {
  /** By the first digit of the status: 1 to 5. */
  readonly answers: [number, number, number, number, number]
  totalMs: number
  maxMs: number
}

/** Counters of all doors. Keys are operations that exist (`GET /topics/{topic}`, a gRPC method), so their number is bounded. */
export class GatewayMetrics {
  /** Connections now. */
  connections = 0
  connectionsTaken = 0
  /** Refused for their Host or their Origin. */
  requestsRefused = 0
  /** What came and was no HTTP. */
  malformed = 0
  /** Connections that were closed because their clients took nothing of an answer. */
  stalled = 0
  /** Bytes of request bodies over HTTP that are held now. */
  bodyBytes = 0
  /** Bytes of messages of gRPC that are held now, which have a limit of their own. */
  messageBytes = 0
  /** Bytes of answers that are made, and not taken yet. */
  answerBytes = 0
  /** Requests whose bodies, or whose answers, were too much on top of the others. */
  bodiesRefused = 0
  answersRefused = 0
  /** Bytes of bodies that may be held, and of answers that may be left; null as long as nobody spoke HTTP. */
  http: { readonly bodyLimit: number; readonly answerLimit: number } | null = null
  /** What doors do in the cluster; null as long as they do nothing. */
  client: { readonly stats: ClusterClientStats } | null = null
  /** Null as long as nobody spoke gRPC. */
  grpc: {
    readonly calls: number
    readonly refused: number
    readonly limits: { readonly calls: number; readonly heldBytes: number }
  } | null = null
  readonly #operations = new Map<string, OperationMetrics>()

  get operations(): ReadonlyMap<string, OperationMetrics> {
    return this.#operations
  }

  observe(operation: string, status: number, ms: number): void {
    let metrics = this.#operations.get(operation)
    if (metrics === undefined) {
      metrics = { answers: [0, 0, 0, 0, 0], totalMs: 0, maxMs: 0 }
      this.#operations.set(operation, metrics)
    }
    const kind = Math.min(4, Math.max(0, Math.floor(status / 100) - 1)) as 0 | 1 | 2 | 3 | 4
    metrics.answers[kind]++
    metrics.totalMs += ms
    if (ms > metrics.maxMs) metrics.maxMs = ms
  }
}
