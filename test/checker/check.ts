import { groupFindings } from './groups.ts'
import type { Finding, Operation } from './history.ts'
import { type Order, orderOf } from './log-order.ts'
import { pollFindings } from './polls.ts'
import { transactionFindings } from './transactions.ts'

export interface Verdict {
  readonly findings: readonly Finding[]
  readonly sent: number
  readonly acknowledged: number
  readonly failed: number
  /** Nobody knows whether these were written; a reader may tell. */
  readonly unknown: number
  readonly read: number
  /** ms: the longest time without any acknowledgement between the first and the last. */
  readonly longestGap: number
  /** Reading resumed elsewhere under a subscription: allowed, but worth a look when it is often. */
  readonly jumps: number
}

/**
 * Judges a history as Kafka's clients saw it (the queue workload of jepsen.tests.kafka). Expects every acknowledged
 * value to be read by operations with `final`, unless there are none of those.
 */
export function check(history: readonly Operation[]): Verdict {
  const order = orderOf(history)
  const polls = pollFindings(history, order)
  const findings = [
    ...order.findings,
    ...lossFindings(order, history),
    ...sendFindings(order),
    ...polls.findings,
    ...transactionFindings(history, order),
    ...groupFindings(history),
  ]
  const sends = [...order.sends.values()]
  const of = (type: Operation['type']) => sends.filter(s => s.by.type === type).length
  return {
    findings,
    sent: sends.length,
    acknowledged: of('ok'),
    failed: of('fail'),
    unknown: of('info'),
    read: sends.filter(s => s.read).length,
    longestGap: longestGap(history),
    jumps: polls.jumps,
  }
}

/** lost-write: acknowledged, passed by a reader, never read. unseen: acknowledged, missing for the readers at the end. */
function lossFindings(order: Order, history: readonly Operation[]): Finding[] {
  const findings: Finding[] = []
  const ended = history.some(operation => operation.final)
  for (const { key, value, offset, read, by } of order.sends.values()) {
    if (by.type === 'fail' || (by.type === 'info' && !read)) continue
    const partition = order.partitions.get(key)
    if (!read && offset !== undefined && partition && offset <= partition.highestRead) {
      const text = `${value} at offset ${offset} was never read, though a reader came to ${partition.highestRead}`
      findings.push({ kind: 'lost-write', key, text })
    } else if (ended && !partition?.seenAtEnd.has(value)) {
      findings.push({ kind: 'unseen', key, text: `${value} at offset ${offset} is not there at the end` })
    }
  }
  return findings
}

/** A process's sends to one key are in the log in the order of sending. */
function sendFindings(order: Order): Finding[] {
  const findings: Finding[] = []
  const last = new Map<string, { value: number; offset: number }>()
  for (const { key, value, offset, by } of order.sends.values()) {
    if (offset === undefined || by.type === 'fail' || by.loose) continue
    const who = `${by.process} ${key}`
    const before = last.get(who)
    if (before && offset <= before.offset) {
      const text = `${by.process} sent ${before.value}, then ${value}: offsets ${before.offset} and ${offset}`
      findings.push({ kind: 'nonmonotonic-send', key, text })
    }
    if (!before || offset > before.offset) last.set(who, { value, offset })
  }
  return findings
}

function longestGap(history: readonly Operation[]): number {
  const times = history
    .filter(o => o.type === 'ok' && o.ops?.some(op => op.f === 'send'))
    .map(o => o.t1)
    .sort((a, b) => a - b)
  let longest = 0
  for (let i = 1; i < times.length; i++) longest = Math.max(longest, times[i]! - times[i - 1]!)
  return longest
}
