import { atLeast, between, int, list, listOf, oneOf, string } from '../definition.ts'

/** What only ottla has. Few on purpose: where Kafka has a setting, that one is used. */
export const ottlaSettings = {
  advertise: string('auto').honoured(
    'The `host` or `host:port` that clients are told; `auto`: the address at which each client reached us.',
  ),
  'cluster.id': string(null).honoured(
    "The cluster's id, 22 characters; unset: made at random when the data folder is new.",
  ),
  data: string('./ottla-data').honoured('The folder that holds all data, or `memory` to keep nothing.'),
  flush: string('ack', oneOf('ack', 'os')).honoured(
    'What an acknowledgement means: on stable storage (`ack`), or with the operating system (`os`, as Apache Kafka).',
  ),
  host: list('localhost', listOf([], { empty: false })).honoured(
    'Addresses to listen on; `localhost` is this machine only, `0.0.0.0` or `::` every interface.',
  ),
  'logging.format': string('auto', oneOf('auto', 'json', 'text')).honoured(
    'How ottla logs: text on a terminal and JSON lines elsewhere (`auto`), or always one of them.',
  ),
  'logging.level': string('info', oneOf('debug', 'info', 'warn', 'error')).honoured(
    'The least important log line shown.',
  ),
  port: int(9092, between(0, 65_535)).honoured('The port to listen on; 0: any free one.'),
  'tail.cache.bytes': int(33_554_432, atLeast(0)).honoured(
    'Memory for the newest batches, so that readers who keep up never touch the disk.',
  ),
}
