/** Plain counters, read at scrape time; the hot path only adds. Times are ms. */
export class BrokerMetrics {
  requests = 0
  bytesIn = 0
  bytesOut = 0
  connectionsAccepted = 0
  connectionsRefused = 0
  connectionsExpired = 0
  readonly #topics = new Map<string, TopicMetrics>()
  readonly #apis = new Map<number, ApiMetrics>()
  /** Names come from topics that exist, so their number is bounded by the cluster's. */
  get topics(): ReadonlyMap<string, TopicMetrics> {
    return this.#topics
  }

  get apis(): ReadonlyMap<number, ApiMetrics> {
    return this.#apis
  }

  produced(topic: string, bytes: number): void {
    const metrics = this.#topic(topic)
    metrics.produceRequests++
    metrics.bytesIn += bytes
  }

  fetched(topic: string, bytes: number): void {
    if (bytes === 0) return
    this.#topic(topic).bytesOut += bytes
  }

  /** One request of an API took `ms` from its arrival to its answer. */
  observe(api: number, ms: number): void {
    let metrics = this.#apis.get(api)
    if (metrics === undefined) {
      metrics = { requests: 0, totalMs: 0, maxMs: 0 }
      this.#apis.set(api, metrics)
    }
    metrics.requests++
    metrics.totalMs += ms
    if (ms > metrics.maxMs) metrics.maxMs = ms
  }

  forgetTopic(topic: string): void {
    this.#topics.delete(topic)
  }

  #topic(topic: string): TopicMetrics {
    let metrics = this.#topics.get(topic)
    if (metrics === undefined) {
      metrics = { produceRequests: 0, bytesIn: 0, bytesOut: 0 }
      this.#topics.set(topic, metrics)
    }
    return metrics
  }
}

export interface TopicMetrics {
  produceRequests: number
  bytesIn: number
  bytesOut: number
}

export interface ApiMetrics {
  requests: number
  totalMs: number
  maxMs: number
}
