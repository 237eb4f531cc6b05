import { atLeast, int, list, listOf, long, MAX_INT, string } from '../definition.ts'
import { kernelBuffers, noNeed, oneListener, oneLoop } from './reasons.ts'

/** Listeners, connections, requests in flight. */
export const networkSettings = {
  'advertised.listeners': list(null, listOf([], { empty: false })).honoured(
    'Addresses that clients are told; unset: the one at which each client reached us (`advertise=auto`).',
  ),
  'background.threads': int(10, atLeast(1)).clusterWide().ignored(oneLoop),
  'connections.max.idle.ms': long(600_000).honoured('ms after which a silent connection is closed.'),
  'early.start.listeners': list(null, listOf([], { empty: true })).ignored(
    'Every listener answers other nodes at once, and clients as soon as they can be served.',
  ),
  'fetch.max.bytes': int(57_671_680, atLeast(1024)).honoured(
    'Largest answer to one fetch (the first batch is sent whatever its size).',
  ),
  'fetch.purgatory.purge.interval.requests': int(1000).ignored(oneLoop),
  'inter.broker.listener.name': string(null).ignored(oneListener),
  'listener.security.protocol.map': string(
    'SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT',
  ).honoured("Which protocol a listener's name stands for; only PLAINTEXT is served."),
  listeners: list('PLAINTEXT://:9092', listOf([], { empty: false })).honoured(
    'Addresses to listen on, `NAME://host:port`; an empty host is every interface. `host` and `port` are the short way.',
  ),
  'max.connection.creation.rate': int(MAX_INT, atLeast(0))
    .clusterWide()
    .ignored('Connections are taken as they come; `max.connections` and `max.connections.per.ip` bound them.'),
  'max.connections': int(MAX_INT, atLeast(0))
    .clusterWide()
    .honoured('Connections at one time; one more is closed at once.'),
  'max.connections.per.ip': int(MAX_INT, atLeast(0))
    .clusterWide()
    .honoured('Connections at one time from one address.'),
  'max.connections.per.ip.overrides': string('')
    .clusterWide()
    .ignored('`max.connections.per.ip` holds for every address.'),
  'max.incremental.fetch.session.cache.slots': int(1000, atLeast(0)).honoured(
    'Fetch sessions remembered at one time (KIP-227).',
  ),
  'num.io.threads': int(8, atLeast(1)).clusterWide().ignored(oneLoop),
  'num.network.threads': int(3, atLeast(1)).clusterWide().ignored(oneLoop),
  'producer.purgatory.purge.interval.requests': int(1000).ignored(oneLoop),
  'queued.max.request.bytes': long(-1).honoured(
    'Bytes of requests in flight; above it no client is read. −1: 256 MiB. Other nodes have as much to themselves.',
  ),
  'queued.max.requests': int(500, atLeast(1)).ignored(
    'What is in flight is bounded by bytes: `queued.max.request.bytes`.',
  ),
  'request.timeout.ms': int(30_000).ignored('`controller.quorum.request.timeout.ms` says it.'),
  'socket.connection.setup.timeout.max.ms': long(30_000).ignored(noNeed),
  'socket.connection.setup.timeout.ms': long(10_000).ignored(noNeed),
  'socket.listen.backlog.size': int(50, atLeast(1)).ignored(
    'Up to 1024 connections may wait to be accepted, or fewer if the operating system says so.',
  ),
  'socket.receive.buffer.bytes': int(102_400).ignored(kernelBuffers),
  'socket.request.max.bytes': int(104_857_600, atLeast(1)).honoured(
    'Largest request; a longer one ends the connection before memory is taken for it.',
  ),
  'socket.send.buffer.bytes': int(102_400).ignored(kernelBuffers),
}
