import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { silent } from '../world/logger.ts'
import { Host } from './host.ts'
import type { HostOptions, Refusal } from './host-options.ts'
import type { Decision, Machine, Moment } from './machine.ts'
import { MemoryLog } from './memory-log.ts'
import { dice, VirtualTime } from './testing.ts'

type Command =
  | { do: 'add'; by: number }
  | { do: 'read' }
  | { do: 'wait'; key: string; ms: number }
  | { do: 'wake'; key: string }
  | { do: 'bug' }
  | { do: 'silent' }
  | { do: 'soft' }
  | { do: 'nod' }
type Fact = { by: number } | { total: number }
type Answer = number | Refusal

/** A counter with all the ways to answer. */
class Counter implements Machine<Command, Fact, Answer> {
  total = 0
  at: { timestamp: number; offset: number } | null = null

  decide(command: Command, _at: Moment): Decision<Command, Fact, Answer> {
    switch (command.do) {
      case 'add':
        return { records: [{ by: command.by }], effects: [{ do: 'answer', answer: this.total + command.by }] }
      case 'read':
        return { records: [], effects: [{ do: 'answer', answer: this.total }] }
      case 'wait':
        return {
          records: [],
          effects: [
            { do: 'park', key: command.key },
            { do: 'timer', key: command.key, afterMs: command.ms, then: { do: 'wake', key: command.key } },
          ],
        }
      case 'wake':
        return {
          records: [{ by: 1 }],
          effects: [
            { do: 'cancel', key: command.key },
            { do: 'answer', to: command.key, answer: this.total + 1 },
            { do: 'answer', answer: 0 },
          ],
        }
      case 'bug':
        throw new Error('a bug')
      case 'silent':
        return { records: [], effects: [] }
      case 'nod':
        return { records: [], effects: [{ do: 'answer', answer: -1, now: true }] }
      case 'soft':
        return { records: [], soft: [{ by: 100 }], effects: [{ do: 'answer', answer: this.total }] }
    }
  }

  apply(record: Fact, timestamp: number, offset: number): void {
    this.at = { timestamp, offset }
    if ('by' in record) this.total += record.by
    else this.total = record.total
  }

  lead(): Decision<Command, Fact, Answer> {
    return { records: [], effects: [] }
  }

  snapshot(): Fact[] {
    return [{ total: this.total }]
  }
}

function setUp(more: Partial<HostOptions<Command, Fact, Answer>> = {}, autoCommit = false) {
  const time = new VirtualTime()
  const log = new MemoryLog<Fact>({ autoCommit })
  const host = new Host<Command, Fact, Answer>({
    log,
    machine: () => new Counter(),
    refuse: why => why,
    clock: time,
    timers: time,
    random: dice(1),
    logger: silent,
    ...more,
  })
  const got: Answer[] = []
  const ask = (command: Command) => host.ask(command, answer => got.push(answer))
  const counter = () => host.machine as Counter
  return { time, log, host, got, ask, counter }
}

describe('a host', () => {
  it('answers when the records are committed, in order', () => {
    const { log, got, ask, counter } = setUp()
    log.elect()
    ask({ do: 'add', by: 2 })
    ask({ do: 'add', by: 3 })
    assert.equal(counter().total, 5, 'applied at once')
    assert.deepEqual(got, [])
    log.commit(1)
    assert.deepEqual(got, [2])
    log.commit(2)
    assert.deepEqual(got, [2, 5])
  })

  it('lets a decision without records wait for what it may have seen', () => {
    const { log, got, ask } = setUp()
    log.elect()
    ask({ do: 'read' })
    assert.deepEqual(got, [0], 'nothing before it: at once')
    ask({ do: 'add', by: 2 })
    ask({ do: 'read' })
    assert.deepEqual(got, [0])
    log.commit()
    assert.deepEqual(got, [0, 2, 2])
  })

  it('gives at once what promises nothing', () => {
    const { log, got, ask } = setUp()
    log.elect()
    ask({ do: 'add', by: 2 })
    ask({ do: 'nod' })
    assert.deepEqual(got, [-1])
    log.commit()
    assert.deepEqual(got, [-1, 2])
  })

  it('refuses in time what is not committed, and goes on', () => {
    const refuse = (why: Refusal, _command: Command, error?: Error) => {
      assert.match(String(error), /REQUEST_TIMED_OUT|not committed/)
      return why
    }
    const { time, log, got, ask, host } = setUp({ answerTimeoutMs: 100, refuse })
    log.elect()
    ask({ do: 'add', by: 1 })
    time.advance(60)
    ask({ do: 'add', by: 2 })
    ask({ do: 'read' })
    time.advance(39)
    assert.deepEqual(got, [])
    time.advance(1)
    assert.deepEqual([got, host.load.waiting], [['failed'], 2])
    time.advance(59)
    assert.equal(got.length, 1)
    time.advance(1)
    assert.deepEqual([got, host.load.waiting], [['failed', 'failed', 'failed'], 0])
    ask({ do: 'add', by: 4 })
    time.advance(50)
    log.commit()
    assert.deepEqual(got.slice(3), [7], 'what was given up is there all the same')
    time.advance(1000)
    ask({ do: 'add', by: 8 })
    time.advance(99)
    log.commit()
    assert.deepEqual(got.slice(4), [15])
  })

  it('gives records their offset and the time of the decision', () => {
    const { time, log, ask, counter } = setUp()
    log.elect()
    ask({ do: 'add', by: 1 })
    time.advance(7)
    ask({ do: 'add', by: 1 })
    assert.deepEqual(counter().at, { timestamp: time.now(), offset: 1 })
    log.commit()
    log.depose()
    assert.deepEqual(counter().at, { timestamp: time.now(), offset: 1 }, 'and the same when replayed')
  })

  it('answers a parked asker by a timer, or by another', () => {
    const { time, log, got, ask, host } = setUp({}, true)
    log.elect()
    ask({ do: 'wait', key: 'a', ms: 100 })
    ask({ do: 'wait', key: 'b', ms: 100 })
    ask({ do: 'wake', key: 'b' })
    assert.deepEqual(got, [1, 0])
    time.advance(200)
    assert.deepEqual(got, [1, 0, 2])
    assert.deepEqual(host.load, { waiting: 0, parked: 0, timers: 0 })
  })

  it('refuses everybody when the lead is lost, forgets and replays', () => {
    const leads: (number | null)[] = []
    const { time, log, got, ask, counter, host } = setUp({ onLead: epoch => leads.push(epoch) })
    ask({ do: 'read' })
    assert.deepEqual(got.splice(0), ['notLeader'], 'not elected yet')
    log.elect()
    ask({ do: 'add', by: 2 })
    log.commit()
    got.length = 0
    ask({ do: 'add', by: 40 })
    ask({ do: 'read' })
    ask({ do: 'wait', key: 'a', ms: 100 })
    log.depose()
    assert.deepEqual(got, ['notLeader', 'notLeader', 'notLeader'])
    assert.equal(counter().total, 2)
    time.advance(1000)
    assert.equal(host.load.timers, 0)
    ask({ do: 'read' })
    log.elect()
    ask({ do: 'read' })
    assert.deepEqual(got.slice(3), ['notLeader', 2])
    assert.deepEqual(leads, [1, null, 2])
  })

  it('counts what survived an election although nobody was told', () => {
    const { log, got, ask, counter } = setUp()
    log.elect()
    ask({ do: 'add', by: 2 })
    log.depose(1)
    assert.deepEqual(got, ['notLeader'])
    log.elect()
    assert.equal(counter().total, 2)
  })

  it('refuses what the machine cannot decide, once and alone', () => {
    const { log, got, ask } = setUp({}, true)
    log.elect()
    ask({ do: 'bug' })
    ask({ do: 'silent' })
    ask({ do: 'add', by: 1 })
    assert.deepEqual(got, ['failed', 'failed', 1])
  })

  it('answers both when a key is taken', () => {
    const { log, got, ask } = setUp({}, true)
    log.elect()
    ask({ do: 'wait', key: 'a', ms: 100 })
    ask({ do: 'wait', key: 'a', ms: 100 })
    ask({ do: 'wake', key: 'a' })
    assert.deepEqual(got, ['failed', 1, 0])
  })

  it('applies soft facts, which die with the lead', () => {
    const { log, got, ask, counter } = setUp()
    log.elect()
    ask({ do: 'add', by: 1 })
    ask({ do: 'soft' })
    assert.equal(counter().total, 101)
    assert.deepEqual(got, [])
    log.commit()
    assert.deepEqual(got, [1, 1])
    assert.equal(log.end, 1)
    log.depose()
    assert.equal(counter().total, 1)
  })

  it('refuses when the log cannot append, and tries the command of a timer again', () => {
    const { time, log, got, ask, counter } = setUp({}, true)
    log.elect()
    ask({ do: 'wait', key: 'a', ms: 100 })
    log.full = new Error('no space left')
    ask({ do: 'add', by: 1 })
    assert.deepEqual(got, ['failed'])
    time.advance(500)
    assert.equal(counter().total, 0)
    log.full = null
    time.advance(1000)
    assert.deepEqual(got, ['failed', 1])
  })

  it('is full at its limits', () => {
    const { log, got, ask } = setUp({ maxWaiting: 2, maxParked: 1 })
    log.elect()
    ask({ do: 'wait', key: 'a', ms: 100 })
    ask({ do: 'wait', key: 'b', ms: 100 })
    assert.deepEqual(got.splice(0), ['overloaded'])
    ask({ do: 'add', by: 1 })
    ask({ do: 'add', by: 1 })
    ask({ do: 'add', by: 1 })
    assert.deepEqual(got.splice(0), ['overloaded'])
    log.commit()
    assert.deepEqual(got.splice(0), [1, 2])
    ask({ do: 'read' })
    assert.deepEqual(got, [2])
  })

  it('keeps the order when a reply asks again', () => {
    const { log, host } = setUp()
    const got: string[] = []
    log.elect()
    host.ask({ do: 'add', by: 1 }, () => host.ask({ do: 'read' }, answer => got.push(`second ${answer}`)))
    host.ask({ do: 'add', by: 1 }, answer => got.push(`first ${answer}`))
    log.commit()
    assert.deepEqual(got, ['first 2', 'second 2'])
  })

  it('hands over a snapshot when all that it saw is committed', () => {
    const compaction = { records: 3, bytes: 1e9, sizeOf: () => 1 }
    const { log, ask, counter } = setUp({ compaction })
    log.elect()
    for (let i = 0; i < 5; i++) ask({ do: 'add', by: 1 })
    log.commit(3)
    assert.equal(log.start, 0)
    log.commit()
    assert.equal(log.start, 4, 'of the moment when the threshold was passed')
    assert.deepEqual(log.records, [{ total: 4 }, { by: 1 }])
    log.depose()
    assert.equal(counter().total, 5)
  })

  it('writes down what it has replayed when that was much', () => {
    const log = new MemoryLog<Fact>({ autoCommit: true })
    const first = setUp({ log })
    log.elect()
    for (let i = 0; i < 10; i++) first.ask({ do: 'add', by: 1 })
    log.depose()
    const { counter } = setUp({ log, compaction: { records: 5, bytes: 1e9, sizeOf: () => 1 } })
    assert.equal(log.start, 0, 'a follower does not')
    log.elect()
    assert.deepEqual(log.records, [{ total: 10 }])
    assert.equal(counter().total, 10)
  })

  it('writes down what it follows, too, where each copy of the log has snapshots of its own', () => {
    const log = new MemoryLog<Fact>({ autoCommit: true })
    const first = setUp({ log })
    log.elect()
    for (let i = 0; i < 10; i++) first.ask({ do: 'add', by: 1 })
    log.depose()
    const { counter } = setUp({
      log,
      compaction: { records: 5, bytes: 1e9, sizeOf: () => 1, whileFollowing: true },
    })
    assert.equal(log.start, 6)
    assert.deepEqual(log.records, [{ total: 6 }, ...Array.from({ length: 4 }, () => ({ by: 1 }))])
    assert.equal(counter().total, 10)
  })

  it('refuses all when stopped', async () => {
    const { log, host, got, ask } = setUp()
    log.elect()
    ask({ do: 'add', by: 1 })
    host.stop()
    assert.deepEqual(got, ['notLeader'])
    log.commit()
    assert.equal(await host.submit({ do: 'read' }), 'notLeader')
  })
})

describe('a host, seed by seed', () => {
  it('never answers before the commit, answers all once, and replays to the same state', () => {
    for (let seed = 1; seed <= 150; seed++) simulate(seed)
  })
})

function simulate(seed: number): void {
  const random = dice(seed)
  const observed: Fact[] = []
  const { time, log, host, counter } = setUp({
    compaction: { records: 5 + random.int(20), bytes: 1e9, sizeOf: () => 1 },
    observer: {
      load: snapshot => observed.splice(0, observed.length, ...snapshot),
      commit: records => observed.push(...records),
    },
  })
  const totalOf = (facts: Fact[]) => facts.reduce((sum, fact) => ('by' in fact ? sum + fact.by : fact.total), 0)
  let tooEarly = 0
  const asked: { answers: number }[] = []
  const ask = (command: Command) => {
    const one = { answers: 0 }
    asked.push(one)
    host.ask(command, answer => {
      one.answers++
      // Totals only grow: an answer above the committed total has told what may still be lost.
      if (typeof answer === 'number' && answer > totalOf(log.records)) tooEarly++
    })
  }

  for (let step = 0; step < 300; step++) {
    const roll = random.int(100)
    if (roll < 40) ask({ do: 'add', by: 1 + random.int(9) })
    else if (roll < 50) ask({ do: 'read' })
    else if (roll < 55) ask({ do: 'wait', key: `k${step}`, ms: random.int(500) })
    else if (roll < 58) ask({ do: 'wake', key: `k${random.int(step + 1)}` })
    else if (roll < 75) log.commit(log.committed + random.int(log.end - log.committed + 1))
    else if (roll < 90) time.advance(random.int(50))
    else if (roll < 96 && !host.leading) log.elect()
    else if (roll >= 98 && host.leading) log.depose(log.committed + random.int(log.end - log.committed + 1))
    assert.equal(totalOf(observed), totalOf(log.records), `seed ${seed}: the observer sees what is committed`)
    if (!host.leading) assert.equal(counter().total, totalOf(log.records), `seed ${seed}: replay`)
  }
  if (!host.leading) log.elect()
  log.commit()
  assert.equal(counter().total, totalOf(log.records), `seed ${seed}: all applied once`)
  log.depose()
  assert.equal(counter().total, totalOf(log.records), `seed ${seed}: replay leads to the same state`)
  assert.equal(tooEarly, 0, `seed ${seed}: answers before the commit`)
  for (const [index, one] of asked.entries()) assert.equal(one.answers, 1, `seed ${seed}: asker ${index}`)
  assert.deepEqual(host.load, { waiting: 0, parked: 0, timers: 0 })
}
