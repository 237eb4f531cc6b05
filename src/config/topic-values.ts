import type { BrokerConfig } from './broker-config.ts'
import type { BrokerSetting } from './broker-configs.ts'
import { TOPIC_FALLBACKS, topicSettings } from './topic-configs.ts'

type Fallback = { readonly name: string; readonly scale?: number }
const fallbacks: { readonly [name: string]: readonly Fallback[] } = TOPIC_FALLBACKS

/**
 * Every topic setting with the value in force for a topic: its own, else the broker's, else the default; for
 * `logConfig()`. ottla's `flush` goes with them: a topic that names `flush.messages` or `flush.ms` gets exactly that
 * (1 message is `ack`, anything else `os` with these bounds); others follow the broker.
 */
export function* resolveTopicConfigs(
  own: ReadonlyMap<string, string>,
  broker: BrokerConfig,
): Iterable<[string, string]> {
  for (const name of Object.keys(topicSettings)) {
    const value = topicValue(name, own, broker)
    if (value !== null) yield [name, value]
  }
  const segmentBytes = own.get('internal.segment.bytes')
  if (segmentBytes !== undefined) yield ['segment.bytes', segmentBytes]
  yield ['flush', flushOf(own, broker)]
}

/** The value in force of one topic setting; null when it is unset everywhere. */
export function topicValue(name: string, own: ReadonlyMap<string, string>, broker: BrokerConfig): string | null {
  return own.get(name) ?? inherited(name, broker)
}

/** As `topicValue`, with ottla's `flush` among the names. */
export function topicValueInForce(name: string, own: ReadonlyMap<string, string>, broker: BrokerConfig): string | null {
  return name === 'flush' ? flushOf(own, broker) : topicValue(name, own, broker)
}

/** What a topic gets that says nothing itself. */
export function inherited(name: string, broker: BrokerConfig): string | null {
  const own = topicSettings[name as keyof typeof topicSettings]
  const names = fallbacks[name]
  if (names === undefined) return own.default
  const source = broker.inForce(names[0]!.name as BrokerSetting)
  const text = broker.text(source)
  if (text === null) return own.default
  return scaled(text, names.find(each => each.name === source)?.scale)
}

/** Hours and minutes become ms; −1 stays "no limit". */
function scaled(text: string, scale: number | undefined): string {
  if (scale === undefined) return text
  const count = Number(text)
  return String(count < 0 ? -1 : count * scale)
}

export const fallbacksOf = (name: string): readonly Fallback[] => fallbacks[name] ?? []

function flushOf(own: ReadonlyMap<string, string>, broker: BrokerConfig): string {
  const messages = own.get('flush.messages')
  if (messages !== undefined) return Number(messages) === 1 ? 'ack' : 'os'
  if (own.has('flush.ms')) return 'os'
  return broker.get('log.flush.interval.messages') === 1 ? 'ack' : broker.get('flush')
}
