import type { ClusterClientStats } from '../cluster-client.ts'
import type { GatewayMetrics } from '../door-metrics.ts'
import type { EventDesk } from '../events/desk.ts'
import type { MetricsPage } from './page.ts'

/** The doors besides Kafka's protocol. `events`: null as long as nobody subscribed. */
export function exportDoors(page: MetricsPage, metrics: GatewayMetrics, events: EventDesk | null): void {
  page.gauge('ottla_door_connections', 'Connections that speak something else than Kafka').add(metrics.connections)
  page.counter('ottla_door_connections_taken_total', 'Such connections since the start').add(metrics.connectionsTaken)
  page.counter('ottla_door_refused_requests_total', 'Requests of a wrong host or origin').add(metrics.requestsRefused)
  page.counter('ottla_door_malformed_requests_total', 'What came and was no HTTP').add(metrics.malformed)
  page.counter('ottla_door_stalled_connections_total', 'Closed: answers were not taken').add(metrics.stalled)
  page.gauge('ottla_door_answer_bytes', 'Bytes of answers that are not taken yet').add(metrics.answerBytes)
  page.gauge('ottla_door_body_bytes', 'Bytes of request bodies over HTTP that are held').add(metrics.bodyBytes)
  page.counter('ottla_door_answers_refused_total', 'Answers that were too much').add(metrics.answersRefused)
  page.counter('ottla_door_bodies_refused_total', 'Requests whose bodies were too much').add(metrics.bodiesRefused)
  if (metrics.http !== null) {
    page.gauge('ottla_door_answer_limit_bytes', 'Bytes of answers that may be left').add(metrics.http.answerLimit)
    page.gauge('ottla_door_body_limit_bytes', 'Bytes of bodies that may be held').add(metrics.http.bodyLimit)
  }
  const answers = page.counter('ottla_door_requests_total', 'Requests by operation and kind of answer')
  const time = page.counter('ottla_door_request_seconds_total', 'Time that requests took, by operation')
  for (const [operation, { answers: counts, totalMs }] of metrics.operations) {
    for (const [i, count] of counts.entries()) if (count > 0) answers.add(count, { operation, status: `${i + 1}xx` })
    time.add(totalMs / 1000, { operation })
  }
  if (metrics.grpc !== null) {
    const { calls, refused, limits } = metrics.grpc
    page.gauge('ottla_grpc_calls', 'Calls of gRPC under way').add(calls)
    page.gauge('ottla_grpc_calls_limit', 'Calls of gRPC at one time').add(limits.calls)
    page.gauge('ottla_grpc_message_bytes', 'Bytes of messages of gRPC that are held').add(metrics.messageBytes)
    page.gauge('ottla_grpc_message_limit_bytes', 'Bytes of them that may be held').add(limits.heldBytes)
    page.counter('ottla_grpc_calls_refused_total', 'Calls above the limit').add(refused)
  }
  if (metrics.client !== null) exportClient(page, metrics.client.stats)
  if (events !== null) exportEvents(page, events)
}

function exportClient(page: MetricsPage, stats: ClusterClientStats): void {
  page.gauge('ottla_door_waiting', 'Who waits for records through a door').add(stats.waiting)
  page.gauge('ottla_door_waiting_limit', 'Who may wait at one time').add(stats.waitersLimit)
  page.counter('ottla_door_waiting_refused_total', 'Who was above the limit').add(stats.waitersRefused)
  page.gauge('ottla_door_push_bytes', 'Bytes of records that wait to be written').add(stats.pushBytes)
  page.gauge('ottla_door_push_limit_bytes', 'Bytes of records that may wait').add(stats.pushBytesLimit)
  page.counter('ottla_door_push_refused_total', 'Requests that found no room').add(stats.pushesRefused)
  page.gauge('ottla_door_read_bytes', 'Bytes of records that readers have not taken').add(stats.readBytes)
  page.gauge('ottla_door_read_limit_bytes', 'Bytes that readers may leave').add(stats.readBytesLimit)
}

function exportEvents(page: MetricsPage, events: EventDesk): void {
  const { counters, limits, reads } = events
  page.gauge('ottla_event_streams', 'Streams of events').add(events.streams)
  page.gauge('ottla_event_streams_limit', 'Streams of events at one time').add(limits.streams)
  page.gauge('ottla_event_streams_behind', 'Streams that are not at the end of their topic').add(events.behind)
  page.gauge('ottla_event_streams_patient', 'Streams behind that wait until others take more').add(events.patient)
  page.gauge('ottla_event_topics', 'Topics that are read for streams').add(events.hubs)
  page.gauge('ottla_event_unsent_bytes', 'Bytes that subscribers have not taken').add(events.unsentBytes)
  page.gauge('ottla_event_unsent_limit_bytes', 'Above it the slowest are cut').add(limits.unsentBytes)
  page.counter('ottla_event_streams_opened_total', 'Streams begun').add(events.opened)
  page.counter('ottla_event_streams_refused_total', 'Streams above the limit').add(events.refused)
  page.counter('ottla_event_streams_cut_total', 'Subscribers who took nothing').add(events.cut)
  page.counter('ottla_event_streams_failed_total', 'Streams that could not go on').add(events.failed)
  page.counter('ottla_event_deliveries_total', 'Events written to subscribers').add(counters.delivered)
  page.counter('ottla_event_sent_bytes_total', 'Bytes written to subscribers').add(counters.bytes)
  page.gauge('ottla_event_kept_bytes', 'Bytes of events kept for who is a little late').add(events.keptBytes)
  page.gauge('ottla_event_kept_limit_bytes', 'Bytes of events that may be kept').add(limits.keptBytes)
  page.counter('ottla_event_reads_behind_total', 'Pieces for subscribers who were behind').add(reads.asked)
  page.counter('ottla_event_fetches_behind_total', 'Those that had to be fetched').add(reads.fetched)
}
