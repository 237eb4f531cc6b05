import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Door, type Event, judge, type Outcome } from './history.ts'

const took = (worker: string, record: number, at: number, until: number, door: Door = 'http'): Event => {
  return { event: 'took', worker, record, at, until, door }
}
const gives = (worker: string, record: number, at: number, what: 'ack' | 'reject' = 'ack'): Event => {
  return { event: 'gives', worker, record, at, what }
}
const given = (worker: string, record: number, at: number, done = true, what: 'ack' | 'reject' = 'ack'): Event => {
  return { event: 'given', worker, record, at, what, done }
}
const killed = (worker: string, at: number): Event => ({ event: 'killed', worker, at })
const worked = (worker: string, record: number, at: number): Event[] => [
  took(worker, record, at, at + 1000),
  gives(worker, record, at + 10),
  given(worker, record, at + 20),
]

const judged = (events: readonly Event[], written: readonly number[], more: Partial<Outcome> = {}) =>
  judge(events, { written: new Set(written), hopeless: () => false, dead: [], ...more })

test('one worker after the other, each record done once', () => {
  const verdict = judged([...worked('a', 1, 0), ...worked('b', 2, 5)], [1, 2])
  assert.deepEqual(verdict, {
    findings: [],
    acknowledged: 2,
    unheard: 0,
    deadLettered: 0,
    crashes: { http: 0, grpc: 0 },
    late: 0,
    redelivered: 0,
  })
})

test('two workers with one record are found, also while the first is dead and its lease lives', () => {
  assert.match(judged([took('a', 1, 0, 1000), ...worked('b', 1, 500)], [1]).findings.join(), /1 came to b while a had it for 500 ms/) // biome-ignore format: one line
  const dead = judged([took('a', 1, 0, 1000), killed('a', 100), ...worked('b', 1, 500)], [1])
  assert.match(dead.findings.join(), /1 came to b while a had it/)
  const later = judged([took('a', 1, 0, 1000), killed('a', 100), ...worked('b', 1, 1000)], [1])
  assert.deepEqual([later.findings, later.crashes.http, later.redelivered], [[], 1, 1])
})

test('over gRPC the end of a worker ends what it has, but not before', () => {
  const events = (at: number) => [took('a', 1, 0, 1000, 'grpc'), killed('a', 100), ...worked('b', 1, at)]
  assert.deepEqual([judged(events(150), [1]).findings, judged(events(150), [1]).crashes.grpc], [[], 1])
  assert.equal(judged(events(50), [1]).findings.length, 1)
})

test('who is late is refused, and another one does it', () => {
  const events = [took('a', 1, 0, 1000), ...worked('b', 1, 1100), gives('a', 1, 1105), given('a', 1, 1200, false)]
  const { findings, late, acknowledged } = judged(events, [1])
  assert.deepEqual([findings, late, acknowledged], [[], 1, 1])
})

test('what was done twice, came after its end, or is lost, is found', () => {
  const twice = judged([...worked('a', 1, 0), ...worked('b', 1, 100)], [1]).findings.join()
  assert.match(twice, /1 was acknowledged 2 times/)
  assert.match(twice, /1 came to b after it was settled/)
  assert.match(judged([took('a', 1, 0, 1000)], [1]).findings.join(), /nothing became of 1/)
  assert.match(judged([], [1]).findings.join(), /nothing became of 1/)
  assert.match(judged(worked('a', 2, 0), []).findings.join(), /2 was handed out, and never written/)
})

test('an acknowledgement of which nobody heard may have counted', () => {
  const events = [took('a', 1, 0, 1000), gives('a', 1, 10), killed('a', 11)]
  const { findings, crashes, unheard } = judged(events, [1])
  assert.deepEqual([findings, crashes.http, unheard], [[], 0, 1])
  // Since another one got the record it did not count, and nothing became of that.
  assert.match(judged([...events, took('b', 1, 2000, 3000)], [1]).findings.join(), /nothing became of 1/)
})

test('dead letters: those that were rejected, once, and never what was done', () => {
  const events = [took('a', 1, 0, 1000), gives('a', 1, 10, 'reject'), given('a', 1, 20, true, 'reject')]
  const hopeless = () => true
  assert.deepEqual(judged(events, [1], { hopeless, dead: [1] }).findings, [])
  assert.match(judged(events, [1], { hopeless }).findings.join(), /1 was rejected, and is no dead letter/)
  assert.match(judged(events, [1], { hopeless, dead: [1, 1] }).findings.join(), /1 was dead-lettered 2 times/)
  assert.match(
    judged(worked('a', 1, 0), [1], { dead: [1] }).findings.join(),
    /1 was acknowledged, and is a dead letter/,
  )
  assert.match(judged([], [], { dead: [7] }).findings.join(), /7 is dead, and was never written/)
})
