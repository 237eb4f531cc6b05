import type { Placement, PlacementBroker } from './placement.ts'

/**
 * Kafka's way: leaders go round over racks and brokers, followers are the next ones in other racks, shifted anew each
 * time round, and a new topic begins anywhere. Blind to what brokers hold already.
 */
export const balanced: Placement = {
  ordered: false,
  distance: () => 0,
  place({ brokers, firstPartition, partitions, replicationFactor, random }) {
    const line = byTurns(brokers)
    const start = random.int(line.length)
    const shift = random.int(line.length)
    return Array.from({ length: partitions }, (_, index) => {
      const partition = firstPartition + index
      const round = Math.floor(partition / line.length)
      return choose(line, start + partition, shift + round, replicationFactor)
    })
  },
}

function choose(line: readonly PlacementBroker[], first: number, shift: number, count: number): number[] {
  const leader = line[first % line.length]!
  const chosen = [leader]
  const racks = new Set(line.map(({ rack }) => rack)).size
  const others = line.length - 1
  for (let step = 0; chosen.length < count; step++) {
    const candidate = line[(first + 1 + ((shift + step) % others)) % line.length]!
    // Once round without regard to racks that have a copy already: then no other is left.
    const used = new Set(chosen.map(({ rack }) => rack))
    const doubled = used.has(candidate.rack) && used.size < racks && step < others
    if (!doubled && !chosen.includes(candidate)) chosen.push(candidate)
  }
  return chosen.map(({ id }) => id)
}

/** A broker of each rack in turn, so that neighbours are in different racks. */
function byTurns(brokers: readonly PlacementBroker[]): PlacementBroker[] {
  const racks = new Map<string | null, PlacementBroker[]>()
  for (const broker of brokers) racks.set(broker.rack, [...(racks.get(broker.rack) ?? []), broker])
  const line: PlacementBroker[] = []
  for (let turn = 0; line.length < brokers.length; turn++) {
    for (const rack of racks.values()) {
      const next = rack[turn]
      if (next !== undefined) line.push(next)
    }
  }
  return line
}
