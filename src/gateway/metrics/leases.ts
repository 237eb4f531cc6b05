import type { LeaseGroups } from '../../broker/services.ts'
import type { Puller } from '../leases/puller.ts'
import type { MetricsPage } from './page.ts'

/** Lease groups that are coordinated here, and pulls at this door; null: nobody has used any. */
export function exportLeases(page: MetricsPage, leases: LeaseGroups | null, puller: Puller | null): void {
  if (leases !== null) {
    const stats = leases.coordinator.stats()
    page.gauge('ottla_lease_groups', 'Lease groups of this coordinator').add(stats.groups)
    page.gauge('ottla_lease_group_partitions', 'Partitions that they read').add(stats.partitions)
    page.gauge('ottla_leases', 'Records that workers have now').add(stats.acquired)
    page.gauge('ottla_lease_records_ready', 'Records that came back and may be handed out').add(stats.ready)
    page.gauge('ottla_lease_records_resting', 'Records that came back and may not yet').add(stats.resting)
    page.gauge('ottla_lease_records_dying', 'Records on their way to a dead-letter topic').add(stats.dying)
    page.gauge('ottla_lease_requests_waiting', 'Requests of doors that wait for records').add(stats.waiting)
    page.counter('ottla_leases_given_total', 'Records handed out').add(stats.acquiredTotal)
    page.counter('ottla_leases_settled_total', 'Leases settled by workers').add(stats.settledTotal)
    page.counter('ottla_dead_letters_total', 'Records written to dead-letter topics').add(stats.deadLettersTotal)
    page.counter('ottla_dead_letter_failures_total', 'Times that this failed').add(stats.deadLetterFailures)
  }
  if (puller === null) return
  const { load } = puller
  page.gauge('ottla_pulls', 'Pulls under way at this door').add(load.pulls)
  page.gauge('ottla_lease_settlements', 'Settlements under way at this door').add(load.settlements)
  page.gauge('ottla_pull_cache_bytes', 'Memory that records take which were read for pulls').add(load.cacheBytes)
  page.gauge('ottla_pull_given_bytes', 'Records on their way to workers').add(load.givenBytes)
  page.counter('ottla_pull_cache_hits_total', 'Records taken from it').add(load.cacheHits)
  page.counter('ottla_pull_cache_reads_total', 'Reads that filled it').add(load.cacheReads)
}
