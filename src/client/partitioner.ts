import type { TopicMetadata } from './cluster.ts'
import type { ClientWorld } from './options.ts'

/** Murmur2 as Kafka's Java client hashes keys: 32 bits, signed. (`org.apache.kafka.common.utils.Utils.murmur2`) */
export function murmur2(bytes: Uint8Array): number {
  const multiplier = 0x5bd1e995
  const whole = bytes.length & ~3
  let hash = 0x9747b28c ^ bytes.length
  for (let at = 0; at < whole; at += 4) {
    let word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
    word = Math.imul(word, multiplier)
    word = Math.imul(word ^ (word >>> 24), multiplier)
    hash = Math.imul(hash, multiplier) ^ word
  }
  const rest = bytes.length - whole
  if (rest === 3) hash ^= bytes[whole + 2]! << 16
  if (rest >= 2) hash ^= bytes[whole + 1]! << 8
  if (rest >= 1) hash = Math.imul(hash ^ bytes[whole]!, multiplier)
  hash = Math.imul(hash ^ (hash >>> 13), multiplier)
  return hash ^ (hash >>> 15)
}

/** The partition of a key: the same one that every Java client chooses. */
export function partitionOfKey(key: Uint8Array, partitions: number): number {
  return (murmur2(key) & 0x7fffffff) % partitions
}

/** Records without a key stay with a partition until so many bytes went there (KIP-794), so that batches are large. */
const stickyBytes = 16 * 1024

interface Sticky {
  partition: number
  bytes: number
}

/** Chooses partitions like Java's default: by key, else sticky among partitions that have a leader. */
export class Partitioner {
  readonly #world: ClientWorld
  readonly #sticky = new Map<string, Sticky>()

  constructor(world: ClientWorld) {
    this.#world = world
  }

  /** `size`: bytes of the record. */
  choose(topic: TopicMetadata, key: Uint8Array | null, size: number): number {
    if (key !== null) return partitionOfKey(key, topic.partitions.length)
    let sticky = this.#sticky.get(topic.name)
    if (sticky === undefined || sticky.bytes >= stickyBytes || !hasLeader(topic, sticky.partition)) {
      const led = topic.partitions.filter(each => each.leaderId >= 0)
      const among = led.length > 0 ? led : topic.partitions
      sticky = { partition: among[this.#world.random.int(among.length)]!.partition, bytes: 0 }
      this.#sticky.set(topic.name, sticky)
    }
    sticky.bytes += size
    return sticky.partition
  }
}

function hasLeader(topic: TopicMetadata, partition: number): boolean {
  const found = topic.partitions[partition]
  return found !== undefined && found.leaderId >= 0
}
