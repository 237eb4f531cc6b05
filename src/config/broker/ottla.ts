import { atLeast, between, bool, int, list, listOf, long, matching, oneOf, password, string } from '../definition.ts'

/** What only ottla has. Few on purpose: where Kafka has a setting, that one is used. */
export const ottlaSettings = {
  advertise: string('auto').honoured(
    'The `host` or `host:port` that clients are told; `auto`: the address at which each client reached us.',
  ),
  'balance.enable': bool(true).honoured('Whether partitions move by themselves when brokers join and leave.'),
  'balance.state': string('settled', oneOf('settled', 'joining', 'draining', 'gone'))
    .perBroker()
    .honoured(
      "What becomes of this broker's partitions: nothing (`settled`), it gets its share (`joining`), all leave it " +
        '(`draining`, or `gone` when it will not come back).',
    ),
  'broker.replace.after.ms': long(-1, atLeast(-1)).honoured(
    'ms after which the copies of a broker that does not come back are made elsewhere; −1: only when somebody says so.',
  ),
  'cluster.id': string(null).honoured(
    "The cluster's id, 22 characters; unset: made at random when the data folder is new.",
  ),
  data: string('./ottla-data').honoured('The folder that holds all data, or `memory` to keep nothing.'),
  flush: string('ack', oneOf('ack', 'os')).honoured(
    'What an acknowledgement means: on stable storage (`ack`), or with the operating system (`os`, as Apache Kafka).',
  ),
  'gateway.nodes': string('auto', oneOf('auto', 'all', 'one')).honoured(
    "What a gateway tells Kafka clients of the cluster's nodes: `all` of them, each at the gateway's address; that there is `one`, which leads everything; or (`auto`) one to clients that take several nodes at one address for the same.",
  ),
  host: list('localhost', listOf([], { empty: false })).honoured(
    'Addresses to listen on; `localhost` is this machine only, `0.0.0.0` or `::` every interface.',
  ),
  join: list('', listOf([], { empty: true })).honoured(
    'Addresses (`host:port`) of nodes of a cluster that this node becomes part of; needs `token`. Unset: a new folder begins a cluster of its own.',
  ),
  'logging.format': string('auto', oneOf('auto', 'json', 'text')).honoured(
    'How ottla logs: text on a terminal and JSON lines elsewhere (`auto`), or always one of them.',
  ),
  'logging.level': string('info', oneOf('debug', 'info', 'warn', 'error')).honoured(
    'The least important log line shown.',
  ),
  orderer: string('raft', matching(/^(raft|redis|redis:\/\/.*)$/, 'raft, redis, or redis://host:port')).honoured(
    'Who puts the metadata in order: the nodes themselves (`raft`), or a Redis (`redis://host:port`; `redis`: the one at `REDIS_HOST` and `REDIS_PORT`). See [orderers](orderers.md).',
  ),
  'orderer.lease.ms': int(2000, between(100, 600_000)).honoured(
    'ms for which the leader of the metadata takes its lease in an outside orderer (`LEASE_TIME_SECONDS` with Redis).',
  ),
  'orderer.password': password().honoured('The password of an outside orderer.'),
  'orderer.renew.ms': int(500, between(20, 300_000)).honoured(
    'ms between two renewals of the lease, at most half of it (`RENEW_INTERVAL_SECONDS` with Redis).',
  ),
  placement: string('ring', oneOf('ring', 'balanced')).honoured(
    'Which brokers hold a partition: the next ones on a consistent-hash ring (`ring`), or by turns (`balanced`).',
  ),
  port: int(9092, between(0, 65_535)).honoured('The port to listen on; 0: any free one.'),
  'quorum.voter.probation.ms': int(10_000, atLeast(0)).honoured(
    'ms for which a node must have kept up with the metadata before it gets a vote about it.',
  ),
  'quorum.voter.replace.after.ms': long(-1, atLeast(-1)).honoured(
    'ms of silence after which another node takes the place of a voter; −1: only when somebody says so.',
  ),
  'quorum.voters': int(3, between(1, 5)).honoured(
    'How many nodes vote about the metadata, as soon as there are enough of them: 1, 3 or 5.',
  ),
  'replica.slow.after.ms': long(8000, atLeast(-1)).honoured(
    'ms for which a replica must hold up all others (five times slower than each of them, and by 50 ms at least) before it leaves the in-sync replicas, if enough stay; −1: it stays.',
  ),
  'replica.slow.probation.ms': long(60_000, atLeast(0)).honoured(
    'ms before such a replica may come back to the in-sync replicas, unless it is needed sooner.',
  ),
  'replication.move.rate': long(16_777_216, atLeast(1))
    .perBroker()
    .honoured('Bytes a second that a broker gives to replicas which are being moved to others.'),
  'replication.topology': string('isr', oneOf('isr', 'chain'))
    .clusterWide()
    .honoured(
      'How copies reach the replicas of topics that do not say: from the leader (`isr`) or from one another (`chain`).',
    ),
  roles: string('all', oneOf('all', 'gateway')).honoured(
    'What this process is: a node with data and a part in everything (`all`), or one without data that serves all doors for the cluster at `join` (`gateway`). See [gateways](gateway.md).',
  ),
  'share.dead.letter.topic': string('<topic>.dlq').honoured(
    "Where records go that a lease group could do nothing with; `<topic>` stands for the topic's name. Empty: they are passed over.",
  ),
  'share.redelivery.backoff.ms': int(0, atLeast(0)).honoured(
    'ms before a record of a lease group whose delivery came to nothing is handed out again, doubled each time.',
  ),
  'share.redelivery.backoff.max.ms': int(60_000, atLeast(0)).honoured('The longest such pause, ms.'),
  token: password().honoured(
    "The cluster's secret, from the file `join-token` in the data folder of any of its nodes. Unset: the one in our own folder.",
  ),
  'tail.cache.bytes': int(33_554_432, atLeast(0)).honoured(
    'Memory for the newest batches, so that readers who keep up never touch the disk.',
  ),
}
