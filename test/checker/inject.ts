import { dice } from './generate.ts'
import type { Kind, MicroOperation, Operation, Read } from './history.ts'

type Place = { i: number; j: number; key: string; at: number; read: Read }

/** Puts one fault of the kind into a faithful history; null where the history offers no place for it. */
export function inject(kind: Kind, history: readonly Operation[], seed: number): Operation[] | null {
  const copy = structuredClone(history) as Operation[]
  return faults[kind](copy, dice(seed ^ 0x5eed)) ? copy : null
}

const faults: Record<Kind, (history: Operation[], roll: (below: number) => number) => boolean> = {
  'lost-write': (history, roll) => {
    // An acknowledged value that nobody is shown, though readers come past it.
    const highest = highestReads(history)
    const acked = sends(history).filter(s => s.offset !== undefined && s.offset < (highest.get(s.key) ?? -1))
    const victim = acked[roll(acked.length)]
    if (!victim) return false
    unread(history, victim.key, victim.value, () => true)
    return true
  },
  unseen: (history, roll) => {
    // The tail is gone at the end: nobody reads as far as the victim any more.
    const last = new Map(sends(history).flatMap(s => (s.offset === undefined ? [] : [[s.key, s] as const])))
    const highest = highestReads(history)
    const tails = [...last.values()].filter(s => s.offset === highest.get(s.key) || !highest.has(s.key))
    const victim = tails[roll(tails.length)]
    if (!victim) return false
    unread(history, victim.key, victim.value, () => true)
    return true
  },
  duplicate: (history, roll) => {
    const places = reads(history).filter(p => history[p.i]!.final)
    const place = places[roll(places.length)]
    if (!place) return false
    const [, value] = place.read
    const end = (highestReads(history).get(place.key) ?? -1) + 5
    history.push(finalPoll(`late-${place.key}`, place.key, [[end, value]]))
    return true
  },
  'inconsistent-offset': (history, roll) => {
    const places = reads(history)
    const place = places[roll(places.length)]
    const other =
      place && sends(history).find(s => s.key === place.key && s.value !== place.read[1] && s.type !== 'fail')
    if (!other) return false
    history.push(finalPoll('late', place.key, [[place.read[0], other.value]]))
    return true
  },
  'aborted-read': (history, roll) => {
    const failed = sends(history).filter(s => s.type === 'fail')
    const victim = failed[roll(failed.length)]
    if (!victim) return false
    history.push(finalPoll('late', victim.key, [[(highestReads(history).get(victim.key) ?? -1) + 3, victim.value]]))
    return true
  },
  garbage: (history, roll) => {
    const places = reads(history)
    const place = places[roll(places.length)]
    if (!place) return false
    set(history, place, [place.read[0], 1_000_000_000 + roll(1000)])
    return true
  },
  'precommitted-read': (history, roll) => {
    const transactions = history.filter(o => o.f === 'txn')
    const victim = transactions[roll(transactions.length)]
    const own = victim?.ops?.find(op => op.f === 'send')
    if (own?.f !== 'send' || own.offset === undefined) return false
    const reads: Read[] = [[own.offset, own.value]]
    ;(victim!.ops as MicroOperation[]).push({ f: 'poll', reads: { [own.key]: reads } })
    return true
  },
  'poll-skip': (history, roll) => {
    // A reader is not shown one record, others are.
    const places = reads(history).filter(p => {
      const list = readsAt(history, p)
      return !history[p.i]!.final && p.at > 0 && p.at < list.length - 1
    })
    const place = places[roll(places.length)]
    if (!place) return false
    readsAt(history, place).splice(place.at, 1)
    return true
  },
  'nonmonotonic-poll': (history, roll) => {
    const places = reads(history).filter(p => p.at > 0)
    const place = places[roll(places.length)]
    if (!place) return false
    const list = readsAt(history, place)
    ;[list[place.at - 1], list[place.at]] = [list[place.at]!, list[place.at - 1]!]
    return true
  },
  'nonmonotonic-send': (history, roll) => {
    // Two sends of one process change places in the log, for everybody.
    const acked = sends(history).filter(s => s.offset !== undefined)
    const pairs = acked.flatMap((a, i) => {
      const b = acked.slice(i + 1).find(s => s.key === a.key && s.process === a.process)
      return b ? [[a, b] as const] : []
    })
    const pair = pairs[roll(pairs.length)]
    if (!pair) return false
    const [a, b] = pair
    const swap = new Map([
      [a.value, b.value],
      [b.value, a.value],
    ])
    for (const place of reads(history)) {
      const other = swap.get(place.read[1])
      if (other !== undefined) set(history, place, [place.read[0], other])
    }
    const [first, second] = [a.offset!, b.offset!]
    Object.assign(a.op, { offset: second })
    Object.assign(b.op, { offset: first })
    return true
  },
  G1c: (history, roll) => {
    const transactions = history.filter(o => o.f === 'txn')
    const i = roll(transactions.length)
    const [a, b] = [transactions[i], transactions[(i + 1) % transactions.length]]
    if (!a || !b || a === b) return false
    const sent = (o: Operation) => o.ops!.find(op => op.f === 'send') as Extract<MicroOperation, { f: 'send' }>
    const show = (o: Operation, s: Extract<MicroOperation, { f: 'send' }>) =>
      (o.ops as MicroOperation[]).push({ f: 'poll', reads: { [s.key]: [[s.offset!, s.value]] } })
    show(a, sent(b))
    show(b, sent(a))
    return true
  },
  'overlapping-owners': (history, roll) => {
    const owned = history.filter(o => o.f === 'own')
    const victim = owned[roll(owned.length)]
    if (!victim) return false
    history.push({ ...victim, process: 'usurper', t0: victim.t0 + 0.5 })
    return true
  },
  'commit-went-back': (history, roll) => {
    const asked = history.filter(o => o.f === 'committed' && (o.offset ?? 0) > 0)
    const victim = asked[roll(asked.length)]
    if (!victim) return false
    history.push({ ...victim, t0: 1e9, t1: 1e9 + 1, offset: victim.offset! - 1 })
    return true
  },
}

interface SendPlace {
  op: MicroOperation
  process: string
  type: Operation['type']
  key: string
  value: number
  offset: number | undefined
}

function sends(history: readonly Operation[]): SendPlace[] {
  return history.flatMap(o =>
    (o.ops ?? []).flatMap(op =>
      op.f === 'send'
        ? [{ op, process: o.process, type: o.type, key: op.key, value: op.value, offset: op.offset }]
        : [],
    ),
  )
}

function reads(history: readonly Operation[]): Place[] {
  return history.flatMap((o, i) =>
    (o.ops ?? []).flatMap((op, j) =>
      op.f === 'poll'
        ? Object.entries(op.reads).flatMap(([key, list]) => list.map((read, at) => ({ i, j, key, at, read })))
        : [],
    ),
  )
}

const readsAt = (history: readonly Operation[], { i, j, key }: Place): Read[] =>
  (history[i]!.ops![j] as Extract<MicroOperation, { f: 'poll' }>).reads[key] as Read[]

function set(history: readonly Operation[], place: Place, read: Read): void {
  readsAt(history, place)[place.at] = read
}

function unread(history: readonly Operation[], key: string, value: number, where: (o: Operation) => boolean): void {
  for (const o of history) {
    if (!where(o)) continue
    for (const op of o.ops ?? []) {
      if (op.f !== 'poll' || !op.reads[key]) continue
      const list = op.reads[key] as Read[]
      const at = list.findIndex(read => read[1] === value)
      if (at >= 0) list.splice(at, 1)
    }
  }
}

function highestReads(history: readonly Operation[]): Map<string, number> {
  const highest = new Map<string, number>()
  for (const { key, read } of reads(history)) highest.set(key, Math.max(highest.get(key) ?? -1, read[0]))
  return highest
}

const finalPoll = (process: string, key: string, list: Read[]): Operation => ({
  t0: 1e6,
  t1: 1e6 + 1,
  process,
  type: 'ok',
  f: 'poll',
  ops: [{ f: 'poll', reads: { [key]: list } }],
})
