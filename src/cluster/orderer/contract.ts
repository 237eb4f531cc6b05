import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { NotLeader, type OrderedLogListener } from '../../machine/machine.ts'
import type { MetadataRecord } from '../records/records.ts'
import type { Orderer } from './orderer.ts'

/**
 * What every adapter of `Orderer` must hold (F1 to F6 in docs/decisions/0014-a-fenced-log.md): call `ordererContract` from a test
 * file of the adapter. Nodes live in this process; the adapter's file says how they are paused, cut off and killed, and
 * what time is.
 */
export interface ClusterUnderTest {
  /**
   * Makes the orderer of node `id` (1, 2, 3), with what the node kept from its former life. Not started: the suite calls
   * `follow` and `start`. All three are to be members before long, when all are started.
   */
  open(id: number): Orderer
  /** As kill -9: nothing that it does from now on reaches anybody, not its disk either. */
  kill(id: number): void
  /** Stands still as by SIGSTOP, for its timers and for what comes in; what it is told to do by a test, it does. */
  pause(id: number): void
  resume(id: number): void
  /** Reaches nobody, neither the other nodes nor a store, until healed. */
  cut(id: number): void
  heal(id: number): void
  /** Time in which a lead that was lost has passed to another node, ms. */
  readonly failoverMs: number
  pass(ms: number): Promise<void>
  /** For orderers whose log lives in a store outside of the nodes. */
  readonly store?: {
    /** All it has acknowledged is there again. */
    restart(): Promise<void>
    /** Remembers what is there now; `restart` of it forgets all that came later. */
    save(): Promise<() => Promise<void>>
    /** The answer to the next append does not come. */
    loseReply(): void
  }
  close(): Promise<void>
}

interface Lead {
  readonly node: number
  readonly epoch: number
}

/** One life of a node, and all that it has been told. */
class Life implements OrderedLogListener<MetadataRecord> {
  readonly id: number
  readonly orderer: Orderer
  readonly #leads: Lead[]
  /** Names in the order of the log, with what a snapshot held. */
  names: string[] = []
  /** Offset of each name that came outside of a snapshot. */
  readonly offsets = new Map<string, number>()
  upTo = 0
  epoch: number | null = null
  /** False: it must be told everything from the beginning first. */
  loaded = false
  started = false
  startError: Error | null = null

  constructor(id: number, orderer: Orderer, leads: Lead[]) {
    this.id = id
    this.orderer = orderer
    this.#leads = leads
    orderer.follow(this)
  }

  load(snapshot: Iterable<MetadataRecord>, upTo: number): void {
    assert.equal(this.epoch, null, 'load while leading')
    this.names = [...snapshot].map(nameOf)
    this.offsets.clear()
    this.upTo = upTo
    this.loaded = true
  }

  commit(records: readonly MetadataRecord[], upTo: number): void {
    assert.ok(this.loaded, 'commit before load')
    assert.ok(upTo - records.length >= this.upTo, `offsets ${upTo - records.length} to ${upTo} after ${this.upTo}`)
    for (const [index, record] of records.entries()) {
      this.names.push(nameOf(record))
      this.offsets.set(nameOf(record), upTo - records.length + index)
    }
    this.upTo = upTo
  }

  lead(epoch: number | null): void {
    if (epoch !== null) {
      assert.ok(this.loaded, 'lead before load')
      this.#leads.push({ node: this.id, epoch })
    } else {
      assert.notEqual(this.epoch, null, 'lost what it had not')
      this.loaded = false
    }
    this.epoch = epoch
  }
}

const nameOf = (record: MetadataRecord) => (record.type === 'TopicRecord' ? record.name : record.type)

/** Records with these names. */
export function topics(...names: string[]): MetadataRecord[] {
  return names.map(name => ({
    type: 'TopicRecord',
    name,
    topicId: Buffer.from(name.padEnd(16, '.')).toString('base64url'),
  }))
}

/** Some nodes of a cluster, and what may be asked of them. */
export class Nodes {
  readonly cluster: ClusterUnderTest
  readonly lives = new Map<number, Life>()
  /** Every lead there was, in order. */
  readonly leads: Lead[] = []
  /** Names that were committed, in the order of their appends. */
  readonly committed: string[] = []
  #next = 0

  constructor(cluster: ClusterUnderTest) {
    this.cluster = cluster
  }

  start(...ids: number[]): void {
    for (const id of ids) {
      const life = new Life(id, this.cluster.open(id), this.leads)
      this.lives.set(id, life)
      life.orderer.start().then(
        () => {
          life.started = true
        },
        error => {
          life.startError = error
        },
      )
    }
  }

  async until(what: string, condition: () => boolean, limitMs = 20 * this.cluster.failoverMs): Promise<void> {
    for (let waited = 0; !condition(); waited += 10) {
      assert.ok(waited < limitMs, `in ${limitMs} ms not true: ${what}; ${this.#story()}`)
      await this.cluster.pass(10)
    }
  }

  #story(): string {
    const lives = [...this.lives.values()].map(
      ({ id, epoch, upTo, names, orderer }) =>
        `node ${id}: ${epoch === null ? 'follows' : `leads in ${epoch}`}, ${names.length} names up to ${upTo}, ` +
        `leader ${JSON.stringify(orderer.leader())}`,
    )
    return lives.join('; ')
  }

  /** The one that leads, as soon as there is one (other than `but`). */
  async leader(but?: Life): Promise<Life> {
    let found: Life | undefined
    await this.until('somebody leads', () => {
      found = [...this.lives.values()].find(life => life !== but && life.epoch !== null)
      return found !== undefined
    })
    return found!
  }

  others(life: Life): Life[] {
    return [...this.lives.values()].filter(other => other !== life)
  }

  names(count: number): string[] {
    return Array.from({ length: count }, () => `t${this.#next++}`)
  }

  /** One append of `count` records; not necessarily committed. */
  append(life: Life, count = 1): string[] {
    const names = this.names(count)
    const end = life.orderer.append(life.epoch ?? -1, topics(...names), 1000)
    assert.ok(end >= life.upTo + count)
    return names
  }

  /** Appends by whoever leads until one is committed there. */
  async commit(count = 1): Promise<Life> {
    for (;;) {
      const life = await this.leader()
      const { epoch } = life
      let names: string[]
      try {
        names = this.append(life, count)
      } catch (error) {
        assert.ok(error instanceof NotLeader, String(error))
        await this.cluster.pass(10)
        continue
      }
      await this.until(
        'it is committed, or the lead is lost',
        () => life.offsets.has(names[0]!) || life.epoch !== epoch,
      )
      if (life.epoch !== epoch) continue
      this.committed.push(...names)
      return life
    }
  }

  /** Everybody who runs (or those) has the same log, with all that was committed, once, in order. */
  async agree(...lives: Life[]): Promise<void> {
    const all = lives.length > 0 ? lives : [...this.lives.values()]
    const { committed } = this
    await this.until('all have all that was committed', () =>
      all.every(({ names }) => committed.every(name => names.includes(name))),
    )
    await this.until('all are equally far', () => all.every(({ names }) => names.length === all[0]!.names.length))
    for (const { names } of all) {
      assert.deepEqual(names, all[0]!.names)
      assert.equal(new Set(names).size, names.length, 'nothing twice')
      const order = names.filter(name => committed.includes(name))
      assert.deepEqual(order, committed, 'in the order of their appends')
    }
    const offsets = new Map<string, number>()
    for (const life of all) {
      for (const [name, offset] of life.offsets) {
        assert.equal(offsets.get(name) ?? offset, offset, `one offset for ${name}`)
        offsets.set(name, offset)
      }
    }
    this.#checkLeads()
  }

  /** F1. */
  #checkLeads(): void {
    for (const [index, { epoch }] of this.leads.entries()) {
      const before = this.leads[index - 1]
      if (before !== undefined) assert.ok(epoch > before.epoch, `epoch ${epoch} after ${before.epoch}`)
    }
  }
}

/** `open` gives a cluster that has no log yet. */
export function ordererContract(name: string, open: (test: TestContext) => Promise<ClusterUnderTest>): void {
  const cases: { what: string; store?: true; run(nodes: Nodes, cluster: ClusterUnderTest): Promise<void> }[] = []
  const rule = (what: string, run: (nodes: Nodes, cluster: ClusterUnderTest) => Promise<void>) =>
    cases.push({ what, run })
  const ruleOfStores = (
    what: string,
    run: (nodes: Nodes, store: NonNullable<ClusterUnderTest['store']>, cluster: ClusterUnderTest) => Promise<void>,
  ) => cases.push({ what, store: true, run: (nodes, cluster) => run(nodes, cluster.store!, cluster) })

  rule('appends are committed in order, without gaps, the same for all (F3)', async nodes => {
    nodes.start(1, 2, 3)
    const leader = await nodes.leader()
    const names: string[] = []
    for (let i = 0; i < 40; i++) names.push(...nodes.append(leader, 1 + (i % 5)))
    nodes.committed.push(...names)
    await nodes.agree()
    const first = leader.offsets.get(names[0]!)!
    assert.deepEqual(
      names.map(each => leader.offsets.get(each)),
      names.map((_, index) => first + index),
    )
  })

  rule('of those who race for the lead one gets it, in an epoch of its own (F1)', async (nodes, cluster) => {
    nodes.start(1, 2, 3)
    for (let round = 0; round < 5; round++) {
      const leader = await nodes.commit()
      await nodes.agree()
      cluster.kill(leader.id)
      nodes.lives.delete(leader.id)
      await nodes.leader()
      nodes.start(leader.id)
    }
    await nodes.commit()
    await nodes.agree()
    assert.ok(nodes.leads.length >= 6)
  })

  rule('an append in an epoch that is not ours changes nothing (F2)', async nodes => {
    nodes.start(1, 2, 3)
    const leader = await nodes.commit()
    const records = topics(...nodes.names(2))
    assert.throws(() => leader.orderer.append(leader.epoch! - 1, records, 1), NotLeader)
    assert.throws(() => leader.orderer.append(leader.epoch! + 1, records, 1), NotLeader)
    for (const other of nodes.others(leader)) {
      assert.throws(() => other.orderer.append(leader.epoch!, records, 1), NotLeader)
    }
    await nodes.commit()
    await nodes.agree()
    assert.deepEqual(leader.names, nodes.committed)
  })

  rule('a leader that stood still while another took over changes nothing (F2, F6)', async (nodes, cluster) => {
    nodes.start(1, 2, 3)
    const zombie = await nodes.commit()
    const { epoch } = zombie
    cluster.pause(zombie.id)
    const before = nodes.append(zombie, 2)
    const successor = await nodes.leader(zombie)
    const during = nodes.append(successor, 3)
    await nodes.until('the successor commits', () => successor.offsets.has(during[0]!))
    const succeededBy = successor.orderer.wholeAsOf()
    const notSure = () => assert.ok(zombie.orderer.wholeAsOf() <= succeededBy, 'sure of a lead that another one has')
    // It still believes that it leads.
    assert.equal(zombie.epoch, epoch)
    notSure()
    const after = nodes.append(zombie, 1)
    cluster.resume(zombie.id)
    await nodes.until('the zombie notices', () => {
      if (zombie.epoch === epoch) notSure()
      return zombie.epoch !== epoch
    })
    // What was under way when it stopped may have arrived.
    if (successor.names.includes(before[0]!)) nodes.committed.push(...before)
    nodes.committed.push(...during)
    await nodes.commit()
    await nodes.agree()
    for (const life of nodes.lives.values()) assert.ok(!life.names.includes(after[0]!), 'nothing of the zombie')
  })

  rule('a leader that reaches nobody steps down, and what it has not committed is nowhere', async (nodes, cluster) => {
    nodes.start(1, 2, 3)
    const old = await nodes.commit()
    cluster.cut(old.id)
    const lost = nodes.append(old, 2)
    await nodes.until('it steps down by itself', () => old.epoch === null)
    assert.ok(!old.names.includes(lost[0]!))
    const successor = await nodes.leader(old)
    const names = nodes.append(successor, 2)
    await nodes.until('the successor commits', () => successor.offsets.has(names[0]!))
    nodes.committed.push(...names)
    cluster.heal(old.id)
    await nodes.agree()
    assert.ok(!old.names.includes(lost[0]!))
  })

  rule('what is committed outlives the end of all nodes (F4)', async (nodes, cluster) => {
    nodes.start(1, 2, 3)
    for (let round = 0; round < 3; round++) {
      await nodes.commit(2)
      for (const id of [1, 2, 3]) cluster.kill(id)
      nodes.lives.clear()
      nodes.start(1, 2, 3)
    }
    await nodes.commit()
    await nodes.agree()
  })

  rule('who was away sees all that it missed, in order', async (nodes, cluster) => {
    nodes.start(1, 2, 3)
    const leader = await nodes.commit()
    const [late] = nodes.others(leader)
    for (const away of [cluster.cut, cluster.pause]) {
      away.call(cluster, late!.id)
      for (let i = 0; i < 30; i++) await nodes.commit()
      if (away === cluster.cut) cluster.heal(late!.id)
      else cluster.resume(late!.id)
      await nodes.agree()
    }
  })

  rule('a snapshot stands for what is before it', async (nodes, cluster) => {
    nodes.start(1, 2, 3)
    let leader = await nodes.commit()
    const [late] = nodes.others(leader)
    cluster.cut(late!.id)
    for (let round = 0; round < 4; round++) {
      for (let i = 0; i < 10; i++) leader = await nodes.commit()
      leader.orderer.compact(leader.upTo, topics(...leader.names))
      await cluster.pass(50)
    }
    leader = await nodes.commit()
    cluster.heal(late!.id)
    await nodes.agree()
    for (const id of [1, 2, 3]) cluster.kill(id)
    nodes.lives.clear()
    nodes.start(1, 2, 3)
    await nodes.commit()
    await nodes.agree()
    const short = [...nodes.lives.values()].filter(life => life.offsets.size < life.names.length)
    assert.ok(short.length > 0, 'somebody started from a snapshot')
  })

  rule('only what is committed is compacted, and not every node need do it', async nodes => {
    nodes.start(1, 2, 3)
    const leader = await nodes.commit()
    for (const other of nodes.others(leader)) other.orderer.compact(other.upTo, topics(...other.names))
    leader.orderer.compact(leader.upTo + 100, topics('wrong'))
    await nodes.commit()
    for (const id of [1, 2, 3]) nodes.cluster.kill(id)
    nodes.lives.clear()
    nodes.start(1, 2, 3)
    await nodes.commit()
    await nodes.agree()
  })

  rule('who resigns makes room at once, and what it appended stays', async nodes => {
    nodes.start(1, 2, 3)
    const leader = await nodes.commit()
    await nodes.agree()
    nodes.committed.push(...nodes.append(leader, 3))
    void leader.orderer.resign()
    await nodes.until('it leads no more', () => leader.epoch === null)
    const successor = await nodes.leader(leader)
    assert.notEqual(successor, leader)
    await nodes.commit()
    await nodes.agree()
  })

  rule('who closes has appended what it took', async nodes => {
    nodes.start(1, 2, 3)
    const leader = await nodes.commit()
    await nodes.agree()
    nodes.committed.push(...nodes.append(leader, 3))
    let closed = false
    leader.orderer.close().then(() => {
      closed = true
    })
    await nodes.until('it is closed', () => closed)
    assert.throws(() => leader.orderer.append(leader.epoch ?? 0, topics('late'), 1), NotLeader)
    nodes.lives.delete(leader.id)
    nodes.start(leader.id)
    await nodes.commit()
    await nodes.agree()
  })

  rule('all know as of when they have everything, also while nothing happens', async nodes => {
    nodes.start(1, 2, 3)
    await nodes.commit()
    const all = [...nodes.lives.values()].map(({ orderer }) => orderer)
    for (let round = 0; round < 3; round++) {
      const before = Math.max(...all.map(orderer => orderer.wholeAsOf()))
      assert.ok(before > Number.NEGATIVE_INFINITY)
      await nodes.until('all are fresher', () => all.every(orderer => orderer.wholeAsOf() > before))
    }
  })

  rule('all know who leads', async nodes => {
    nodes.start(1, 2, 3)
    const heard: unknown[] = []
    nodes.lives.get(2)!.orderer.onLeader(leader => heard.push(leader))
    const leader = await nodes.commit()
    const expected = { id: leader.id, epoch: leader.epoch }
    const known = (life: Life) => JSON.stringify(life.orderer.leader()) === JSON.stringify(expected)
    await nodes.until('all know', () => [...nodes.lives.values()].every(known))
    assert.deepEqual(heard.at(-1), expected)
    const described = leader.orderer.describe()
    assert.equal(described.leaderId, leader.id)
    assert.equal(described.leaderEpoch, leader.epoch)
    assert.ok(described.highWatermark >= leader.upTo && described.logEndOffset >= described.highWatermark)
    assert.ok(described.voters.some(({ id }) => id === leader.id))
  })

  ruleOfStores('an append whose answer was lost is there once (F5)', async (nodes, store) => {
    nodes.start(1, 2, 3)
    const leader = await nodes.commit()
    for (let i = 0; i < 5; i++) {
      store.loseReply()
      nodes.committed.push(...nodes.append(leader, 2))
      await nodes.until('it is committed', () => leader.names.includes(nodes.committed.at(-1)!))
    }
    await nodes.agree()
    assert.equal(nodes.leads.length, 1, 'nobody had to step down for it')
  })

  ruleOfStores('a store that comes back with all that it had goes on', async (nodes, store, cluster) => {
    nodes.start(1, 2, 3)
    for (let round = 0; round < 3; round++) {
      await nodes.commit()
      await nodes.agree()
      await store.restart()
      await cluster.pass(cluster.failoverMs)
    }
    await nodes.commit()
    await nodes.agree()
  })

  ruleOfStores(
    'a store that has forgotten what was committed stops all changes (F3, F4)',
    async (nodes, store, cluster) => {
      nodes.start(1, 2, 3)
      await nodes.commit(2)
      const rollBack = await store.save()
      for (let i = 0; i < 3; i++) await nodes.commit()
      await nodes.agree()
      const before = nodes.leads.length
      await rollBack()
      await nodes.until('nobody leads', () => [...nodes.lives.values()].every(life => life.epoch === null))
      await cluster.pass(3 * cluster.failoverMs)
      assert.equal(nodes.leads.length, before, 'nobody led again')
      for (const life of nodes.lives.values()) {
        assert.equal(life.orderer.leader(), null)
        assert.throws(() => life.orderer.append(nodes.leads.at(-1)!.epoch, topics('x'), 1), NotLeader)
      }
      // Neither does who starts anew with what it remembers.
      for (const id of [1, 2, 3]) cluster.kill(id)
      nodes.lives.clear()
      nodes.start(1, 2, 3)
      await cluster.pass(3 * cluster.failoverMs)
      assert.equal(nodes.leads.length, before)
    },
  )

  ruleOfStores('nodes that were all killed go on with a store that was restarted', async (nodes, store, cluster) => {
    nodes.start(1, 2, 3)
    await nodes.commit(2)
    for (const id of [1, 2, 3]) cluster.kill(id)
    await store.restart()
    nodes.lives.clear()
    nodes.start(1, 2, 3)
    await nodes.commit()
    await nodes.agree()
  })

  describe(`orderer: ${name}`, () => {
    for (const { what, store, run } of cases) {
      it(what, async test => {
        const cluster = await open(test)
        try {
          if (store === true && cluster.store === undefined) return test.skip('its log lives in the nodes themselves')
          await run(new Nodes(cluster), cluster)
        } finally {
          await cluster.close()
        }
      })
    }
  })
}
