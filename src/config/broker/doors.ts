import { atLeast, between, int, list, listOf } from '../definition.ts'

/** What ottla serves besides Kafka's protocol, and where. */
export const doorsSettings = {
  'door.delivery.timeout.ms': int(30_000, atLeast(100)).honoured(
    'ms after which a record that came over HTTP or gRPC and cannot be written is given up.',
  ),
  'door.max.waiting': int(2_000, atLeast(1)).honoured(
    'Requests over HTTP and gRPC that may wait for records at one time; one more is answered with 429, or RESOURCE_EXHAUSTED.',
  ),
  'door.push.buffer.bytes': int(33_554_432, atLeast(1_048_576)).honoured(
    'Bytes of records that came over HTTP and gRPC and are under way, for each setting of acks; as many may wait before them, and half of it be of one topic. What finds no room is answered with 429, or RESOURCE_EXHAUSTED.',
  ),
  'door.read.buffer.bytes': int(67_108_864, atLeast(1_048_576)).honoured(
    'Bytes of records that were read for HTTP and gRPC and not taken yet; above, readers are answered with 429, or RESOURCE_EXHAUSTED.',
  ),
  doors: list('kafka,http,grpc', listOf(['kafka', 'http', 'grpc'], { empty: false })).honoured(
    'What is served on the common port; its first bytes tell a connection apart. Nodes of the cluster always speak Kafka.',
  ),
  'grpc.max.calls': int(10_000, atLeast(1)).honoured(
    'Calls of gRPC under way at one time; one more is answered with RESOURCE_EXHAUSTED.',
  ),
  'grpc.max.message.bytes': int(4_194_304, atLeast(1)).honoured('Largest message of gRPC that is taken, decompressed.'),
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
  'http.answer.unsent.max.bytes': int(67_108_864, atLeast(1_048_576)).honoured(
    'Bytes of answers over HTTP that all clients together may leave; what would be too much is answered with 503, and not done.',
  ),
  'http.body.held.max.bytes': int(33_554_432, atLeast(65_536)).honoured(
    'Bytes of bodies over HTTP that are held at one time; what comes above is answered with 503. One alone may be as large as `http.request.max.bytes`: a busy node, which always holds some, seldom takes it.',
  ),
  'http.event.heartbeat.ms': int(15_000, atLeast(100)).honoured(
    'ms of silence after which a stream of server-sent events shows that it is alive.',
  ),
  'http.event.kept.bytes': int(67_108_864, atLeast(0)).honoured(
    'Bytes of events, of all topics together, that are kept for subscribers who are a little late, over HTTP and gRPC.',
  ),
  'http.event.stall.ms': int(30_000, atLeast(100)).honoured(
    'ms that a subscriber may take nothing of what is sent before its stream is cut, over gRPC, too; it comes back with its last id.',
  ),
  'http.event.unsent.max.bytes': int(67_108_864, atLeast(65_536)).honoured(
    'Bytes that all subscribers together may leave, over HTTP and gRPC; above, those are cut that took nothing for longest.',
  ),
  'http.max.event.streams': int(5_000, atLeast(0)).honoured(
    'Streams at one time, of server-sent events and of gRPC; one more is answered with 503, or RESOURCE_EXHAUSTED.',
  ),
  'http.port': int(null, between(0, 65_535)).honoured(
    'A port for HTTP alone, 0: any free one. Unset: on the common port.',
  ),
  'http.request.max.bytes': int(16_777_216, atLeast(1)).clusterWide().honoured('Largest body of a request over HTTP.'),
}
