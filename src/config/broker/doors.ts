import { atLeast, between, int, list, listOf } from '../definition.ts'

/** What ottla serves besides Kafka's protocol, and where. */
export const doorsSettings = {
  doors: list('kafka,http,grpc', listOf(['kafka', 'http', 'grpc'], { empty: false })).honoured(
    'What is served on the common port; its first bytes tell a connection apart. Nodes of the cluster always speak Kafka.',
  ),
  'grpc.port': int(null, between(0, 65_535)).honoured(
    'A port for gRPC alone, 0: any free one. Unset: on the common port.',
  ),
  'http.allowed.hosts': list('', listOf([], { empty: true }))
    .clusterWide()
    .honoured(
      'Names under which HTTP is served besides those that can only be ours: `broker.example.org`, `*.example.org`, or `*`.',
    ),
  'http.allowed.origins': list('', listOf([], { empty: true }))
    .clusterWide()
    .honoured(
      'Origins whose pages may use HTTP from a browser: `https://console.example.org`, or `*`. Unset: only our own pages.',
    ),
  'http.event.heartbeat.ms': int(15_000, atLeast(100)).honoured(
    'ms of silence after which a stream of server-sent events shows that it is alive.',
  ),
  'http.event.stall.ms': int(30_000, atLeast(100)).honoured(
    'ms that a subscriber may take nothing of what is sent before its stream is cut; it comes back with its last id.',
  ),
  'http.max.event.streams': int(5_000, atLeast(0)).honoured(
    'Streams of server-sent events at one time; one more is answered with 503.',
  ),
  'http.port': int(null, between(0, 65_535)).honoured(
    'A port for HTTP alone, 0: any free one. Unset: on the common port.',
  ),
  'http.request.max.bytes': int(16_777_216, atLeast(1)).clusterWide().honoured('Largest body of a request over HTTP.'),
}
