import type { MicroOperation, Operation, Read } from './history.ts'

/** A die from a seed (mulberry32): the same seed, the same history. */
export function dice(seed: number): (below: number) => number {
  let state = seed >>> 0
  return below => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * below)
  }
}

interface Record {
  offset: number
  value: number
}

/**
 * A history as a broker without faults would give it: clients that send, poll, do both in transactions, change what they
 * read, crash; replies that get lost (`info`), sends that fail, gaps of control records. Ends with final readers.
 */
export function faithful(seed: number, steps = 120): Operation[] {
  const roll = dice(seed)
  const keys = Array.from({ length: 2 + roll(3) }, (_, i) => `t-${i}`)
  const logs = new Map(keys.map(key => [key, { next: 0, records: [] as Record[] }]))
  const history: Operation[] = []
  const readers = new Map<string, Map<string, number>>() // process → key → place in records
  let now = 0
  let value = 0
  const pick = <T>(list: readonly T[]): T => list[roll(list.length)]!

  const append = (key: string, v: number): number => {
    const log = logs.get(key)!
    const offset = log.next++
    log.records.push({ offset, value: v })
    return offset
  }
  const poll = (process: string): MicroOperation => {
    const reads: { [key: string]: Read[] } = {}
    for (const [key, from] of readers.get(process) ?? []) {
      const some = logs.get(key)!.records.slice(from, from + roll(6))
      if (!some.length) continue
      reads[key] = some.map(r => [r.offset, r.value])
      readers.get(process)!.set(key, from + some.length)
    }
    return { f: 'poll', reads }
  }
  const add = (operation: Omit<Operation, 't0' | 't1'>) => {
    const t0 = now
    now += 1 + roll(5)
    history.push({ t0, t1: now, ...operation })
  }
  const watch = (process: string, f: 'assign' | 'subscribe') => {
    const chosen = keys.filter(() => roll(3) > 0)
    const places = chosen.map(k => [k, roll(2) ? 0 : roll(logs.get(k)!.records.length + 1)] as const)
    readers.set(process, new Map(places))
    add({ process, type: 'ok', f })
  }

  for (let i = 0; i < steps; i++) {
    const process = `p${roll(5)}`
    const dieRoll = roll(100)
    if (!readers.has(process) || dieRoll < 4) watch(process, roll(2) ? 'assign' : 'subscribe')
    else if (dieRoll < 6) {
      add({ process, type: 'info', f: 'crash' })
      readers.delete(process)
    } else if (dieRoll < 55) {
      const sends = Array.from({ length: 1 + roll(4) }, () => ({ f: 'send' as const, key: pick(keys), value: value++ }))
      const fate = roll(100)
      if (fate < 85) {
        const ops = sends.map(s => ({ ...s, offset: append(s.key, s.value) }))
        add({ process, type: 'ok', f: 'send', ops })
      } else if (fate < 95) {
        // The reply got lost: a prefix of the sends may be in the log.
        for (const s of sends.slice(0, roll(sends.length + 1))) append(s.key, s.value)
        add({ process, type: 'info', f: 'send', ops: sends })
      } else add({ process, type: 'fail', f: 'send', ops: sends })
    } else if (dieRoll < 90) add({ process, type: 'ok', f: 'poll', ops: [poll(process)] })
    else {
      const read = poll(process)
      const key = pick(keys)
      const mine = value++
      const offset = append(key, mine)
      logs.get(key)!.next += 1 // the marker
      add({ process, type: 'ok', f: 'txn', ops: [read, { f: 'send', key, value: mine, offset }] })
    }
  }
  groupsOf(roll, keys, add, () => now)
  for (const key of keys) {
    const process = `final-${key}`
    add({ process, type: 'ok', f: 'assign' })
    const { records } = logs.get(key)!
    for (let from = 0; from < records.length; from += 40) {
      const reads = { [key]: records.slice(from, from + 40).map((r): Read => [r.offset, r.value]) }
      add({ process, type: 'ok', f: 'poll', final: true, ops: [{ f: 'poll', reads }] })
    }
  }
  return history
}

/** A group whose partitions pass from member to member, and whose commits only grow. */
function groupsOf(
  roll: (below: number) => number,
  keys: readonly string[],
  add: (operation: Omit<Operation, 't0' | 't1'>) => void,
  now: () => number,
): void {
  for (const key of keys) {
    let offset = roll(3)
    for (let epoch = 1; epoch < 4; epoch++) {
      const process = `m${roll(3)}`
      add({ process, type: 'ok', f: 'own', group: 'g', key, epoch })
      offset += roll(4)
      add({ process: `asker${now() % 3}`, type: 'ok', f: 'committed', group: 'g', key, offset })
    }
  }
}
