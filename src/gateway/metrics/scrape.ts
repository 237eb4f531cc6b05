import type { Broker } from '../../broker/broker.ts'
import type { Cluster } from '../../client/cluster.ts'
import { type FoundOffset, findOffsets } from '../../client/offsets.ts'
import { within } from '../../client/retry.ts'
import { KafkaError } from '../../protocol/errors.ts'
import { ProcessWatch } from '../../world/process.ts'
import { Breath } from '../breath.ts'
import type { GatewayMetrics } from '../door-metrics.ts'
import type { EventDesk } from '../events/desk.ts'
import type { Puller } from '../leases/puller.ts'
import { exportDoors } from './doors.ts'
import { exportTopics } from './exporter.ts'
import { exportGroups, type GroupView, groupsOf } from './groups.ts'
import { exportJmx } from './jmx.ts'
import { exportLeases } from './leases.ts'
import { type LabelLimits, labelled } from './limits.ts'
import { exportOwn, exportProcess } from './own.ts'
import { type MetricsFormat, MetricsPage } from './page.ts'

export interface ScrapeOptions {
  readonly broker: Broker
  readonly doors: GatewayMetrics
  /** A client of the cluster, for the ends of partitions that others lead. */
  cluster(): Promise<Cluster>
  events(): EventDesk | null
  /** Null as long as nobody pulled. */
  puller?(): Puller | null
  limits(): LabelLimits
}

/** Partitions that are shown in one go: about a millisecond. */
const atOnce = 200
/** ms that a scrape waits for other nodes; then their part is left out. */
const othersMs = 2_000

/** Answers scrapes. Everything is read when it is asked for; between two scrapes nothing is kept or counted for them. */
export class Scraper {
  readonly #options: ScrapeOptions
  readonly #watch = new ProcessWatch()
  #scraping: Promise<readonly GroupView[]> | null = null

  constructor(options: ScrapeOptions) {
    this.#options = options
  }

  async scrape(format: MetricsFormat): Promise<string> {
    const { broker, doors, events } = this.#options
    const limits = this.#options.limits()
    const { services } = broker
    const groups = await this.#groups()
    const ends = await this.#endsElsewhere(groups)
    const weights = Array.from(
      services.cluster.topics.values(),
      ({ name, partitions }) => [name, partitions.length] as const,
    )
    const shown = labelled(weights, limits.topics, limits.partitions)
    const process = this.#watch.look()
    const page = new MetricsPage(format)
    const breath = new Breath(broker.world.timers, atOnce)
    await exportTopics(page, services, shown, breath)
    const endOf = (topic: string, partition: number) =>
      this.#endHere(topic, partition) ?? ends.get(`${topic}-${partition}`) ?? null
    exportGroups(page, groups, endOf, shown, limits)
    await exportJmx(page, broker, shown, 1 - process.loopUtilization, breath)
    exportOwn(page, broker)
    exportDoors(page, doors, events())
    exportLeases(page, services.leases.opened, this.#options.puller?.() ?? null)
    exportProcess(page, process)
    return page.text()
  }

  /** Scrapes at the same time ask the coordinator once. */
  #groups(): Promise<readonly GroupView[]> {
    this.#scraping ??= groupsOf(this.#options.broker.services.groups).finally(() => {
      this.#scraping = null
    })
    return this.#scraping
  }

  #endHere(topic: string, index: number): number | null {
    const partition = this.#options.broker.services.replicas.find(topic, index)
    return partition?.isLeader === true ? partition.highWatermark : null
  }

  /** Ends of partitions that our groups read and others lead. */
  async #endsElsewhere(groups: readonly GroupView[]): Promise<ReadonlyMap<string, number>> {
    const ends = new Map<string, number>()
    const { broker, cluster } = this.#options
    const { topics } = broker.services.cluster
    const wanted = new Map<string, { topic: string; partition: number; start: 'latest' }>()
    for (const { offsets } of groups)
      for (const { topic, partition } of offsets) {
        const isThere = topics.get(topic)?.partitions[partition] !== undefined
        if (isThere && this.#endHere(topic, partition) === null)
          wanted.set(`${topic}-${partition}`, { topic, partition, start: 'latest' })
      }
    if (wanted.size === 0) return ends
    // Of partitions that have no leader nobody hears anything; of the others, yes.
    const heard = ({ topic, partition, offset }: FoundOffset) => void ends.set(`${topic}-${partition}`, offset)
    const asking = findOffsets(await cluster(), [...wanted.values()], 'read_uncommitted', heard).catch(error => {
      if (!(error instanceof KafkaError)) throw error
    })
    await within(broker.world, othersMs, asking)
    return ends
  }
}
