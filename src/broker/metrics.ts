/** Upper bounds of request times, ms: doubled each time. What took longer is counted behind the last one. */
export const durationBounds: readonly number[] = Array.from({ length: 16 }, (_, i) => 0.25 * 2 ** i)

/** Plain counters, read at scrape time; the hot path only adds. Times are ms. */
export class BrokerMetrics {
  requests = 0
  bytesIn = 0
  bytesOut = 0
  connectionsAccepted = 0
  connectionsRefused = 0
  connectionsExpired = 0
  /** Partitions of Produce and Fetch requests that were answered with an error. */
  produceErrors = 0
  fetchErrors = 0
  readonly #topics = new Map<string, TopicMetrics>()
  readonly #apis = new Map<number, ApiMetrics>()
  /** Names come from topics that exist, so their number is bounded by the cluster's. */
  get topics(): ReadonlyMap<string, TopicMetrics> {
    return this.#topics
  }

  get apis(): ReadonlyMap<number, ApiMetrics> {
    return this.#apis
  }

  produced(topic: string, bytes: number, messages: number): void {
    const metrics = this.#topic(topic)
    metrics.produceRequests++
    metrics.bytesIn += bytes
    metrics.messagesIn += messages
  }

  /** `copied`: to another replica. */
  fetched(topic: string, bytes: number, copied: boolean): void {
    if (bytes === 0) return
    const metrics = this.#topic(topic)
    if (copied) {
      metrics.replicationBytesOut += bytes
      return
    }
    metrics.fetchRequests++
    metrics.bytesOut += bytes
  }

  /** One request of an API took `ms` from its arrival to its answer. */
  observe(api: number, ms: number): void {
    let metrics = this.#apis.get(api)
    if (metrics === undefined) {
      metrics = { requests: 0, totalMs: 0, maxMs: 0, durations: new Float64Array(durationBounds.length + 1) }
      this.#apis.set(api, metrics)
    }
    metrics.requests++
    metrics.totalMs += ms
    if (ms > metrics.maxMs) metrics.maxMs = ms
    metrics.durations[bucketOf(ms)]!++
  }

  forgetTopic(topic: string): void {
    this.#topics.delete(topic)
  }

  #topic(topic: string): TopicMetrics {
    let metrics = this.#topics.get(topic)
    if (metrics === undefined) {
      metrics = {
        produceRequests: 0,
        fetchRequests: 0,
        messagesIn: 0,
        bytesIn: 0,
        bytesOut: 0,
        replicationBytesOut: 0,
      }
      this.#topics.set(topic, metrics)
    }
    return metrics
  }
}

/** Index of the first bound that is not below `ms`: its quarters, rounded up, are at most 2^index. */
export function bucketOf(ms: number): number {
  const quarters = Math.ceil(ms * 4)
  return quarters <= 1 ? 0 : Math.min(durationBounds.length, 32 - Math.clz32(Math.min(quarters, 0x7fffffff) - 1))
}

export interface TopicMetrics {
  produceRequests: number
  /** Those that gave something. */
  fetchRequests: number
  messagesIn: number
  bytesIn: number
  bytesOut: number
  replicationBytesOut: number
}

export interface ApiMetrics {
  requests: number
  totalMs: number
  maxMs: number
  /** Counts by `durationBounds`. */
  readonly durations: Float64Array
}
