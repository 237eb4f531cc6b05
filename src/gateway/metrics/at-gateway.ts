import { ProcessWatch } from '../../world/process.ts'
import type { GatewayMetrics } from '../door-metrics.ts'
import type { EventDesk } from '../events/desk.ts'
import type { KafkaProxy } from '../kafka/proxy.ts'
import type { Puller } from '../leases/puller.ts'
import { exportDoors } from './doors.ts'
import { exportLeases } from './leases.ts'
import { exportProcess, exportServer } from './own.ts'
import { type MetricsFormat, MetricsPage } from './page.ts'

export interface GatewayScrapeOptions {
  readonly proxy: KafkaProxy
  readonly doors: GatewayMetrics
  events(): EventDesk | null
  puller(): Puller | null
}

/** Answers scrapes at a gateway: what passes through it. What the cluster holds is told by its nodes. */
export class GatewayScraper {
  readonly #options: GatewayScrapeOptions
  readonly #watch = new ProcessWatch()

  constructor(options: GatewayScrapeOptions) {
    this.#options = options
  }

  async scrape(format: MetricsFormat): Promise<string> {
    const { proxy, doors, events, puller } = this.#options
    const page = new MetricsPage(format)
    exportServer(page, proxy)
    exportProxy(page, proxy)
    exportDoors(page, doors, events())
    exportLeases(page, null, puller())
    exportProcess(page, this.#watch.look())
    return page.text()
  }
}

function exportProxy(page: MetricsPage, { directory, limits, fetchedUnsent, open, upstreams }: KafkaProxy): void {
  const { size, limits: most } = directory
  page.gauge('ottla_gateway_connected', '1 when the cluster answers').add(Number(open))
  page.gauge('ottla_gateway_nodes', 'Nodes of the cluster that are up').add(directory.brokers.size)
  page.gauge('ottla_gateway_clients', 'Clients with connections to nodes of their own').add(upstreams)
  page.gauge('ottla_gateway_partitions', 'Partitions whose leaders are remembered').add(size.partitions)
  page.gauge('ottla_gateway_partitions_limit', 'Partitions that may be').add(most.partitions)
  page.gauge('ottla_gateway_coordinators', 'Groups whose coordinators are remembered').add(size.coordinators)
  page.gauge('ottla_gateway_coordinators_limit', 'Groups that may be').add(most.coordinators)
  page.gauge('ottla_fetched_unsent_bytes', 'Bytes of records that clients have not taken').add(fetchedUnsent)
  page.gauge('ottla_fetched_unsent_limit_bytes', 'Above it Fetches give less').add(limits.bytesInFlight)
}
