import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dice } from '../machine/testing.ts'
import { ErrorCode } from '../protocol/errors.ts'
import { enoughInSync } from '../replication/role.ts'
import type { CommandRequest, CommandResponse } from './commands/command.ts'
import { type PartitionState, ResourceType } from './state.ts'
import { TestController, testSettings, uuid } from './testing.ts'

/**
 * The controller's decisions over a model of what leaders and followers do: logs are lists of (epoch, value), brokers
 * follow the metadata each at its own pace, die, come back, and may lose what they had not synced. What was committed
 * once must be with everybody who is in sync or eligible (I5), so that no leader can be elected who lacks it (I3).
 */

interface Entry {
  readonly epoch: number
  readonly value: number
}

interface Follower {
  readonly brokerEpoch: number
  readonly end: number
}

/** A broker process, and its disk. */
class Node {
  readonly id: number
  alive = true
  incarnation = 0
  brokerEpoch = -1
  log: Entry[] = []
  /** Below it nothing is lost, whatever happens. */
  synced = 0
  highWatermark = 0
  /** What it knows of the partition, and the last offset of metadata that it has applied. */
  role: PartitionState | null = null
  metadataOffset = -1
  /** `min.insync.replicas`, as it has read it. */
  minIsr = 0
  /** As a leader: how far the others are, and an ISR that it has asked for. */
  followers = new Map<number, Follower>()
  asked: { readonly isr: readonly number[]; readonly request: CommandRequest<'alterPartition'> } | null = null

  constructor(id: number) {
    this.id = id
  }

  get leads(): boolean {
    return this.alive && this.role?.leader === this.id
  }
}

interface Setting {
  readonly flush: 'ack' | 'os'
  readonly minIsr: number
  readonly chain: boolean
  /** An operator sets other minima, and takes them back. */
  readonly alters?: boolean
}

type Answered = CommandResponse<'alterPartition'>['topics'][number]['partitions'][number]

class Model {
  readonly test: TestController
  readonly nodes = new Map([1, 2, 3, 4].map(id => [id, new Node(id)]))
  readonly random: ReturnType<typeof dice>
  readonly setting: Setting
  /** What consumers may have seen. */
  readonly committed: Entry[] = []
  readonly #topicId: string
  #next = 0
  story: string[] = []

  constructor(seed: number, setting: Setting) {
    this.random = dice(seed)
    this.setting = setting
    const values: Record<string, string> = {
      flush: setting.flush,
      'min.insync.replicas': String(setting.minIsr),
      'replication.topology': setting.chain ? 'chain' : 'isr',
    }
    // The controller stands beside them: a fifth node that holds nothing.
    this.test = new TestController({ ...testSettings, nodeId: 9, topicValue: name => values[name] ?? null })
    for (const id of [9, 1, 2, 3, 4]) this.test.broker(id)
    for (const node of this.nodes.values()) node.brokerEpoch = this.test.state.brokers.get(node.id)!.epoch
    this.test.topicOn('foo', [1, 2, 3])
    this.#topicId = this.test.state.topics.get('foo')!.id
    for (const node of this.nodes.values()) this.catchUp(node)
  }

  get state(): PartitionState {
    return this.test.partition('foo')
  }

  /** As the controller has it. */
  get minIsr(): number {
    return Number(this.test.state.configs(ResourceType.TOPIC, 'foo').get('min.insync.replicas') ?? this.setting.minIsr)
  }

  /** What a leader waits for. */
  enough({ minIsr, role }: Node): number {
    return enoughInSync(minIsr, role!)
  }

  /** A broker applies all metadata there is. */
  catchUp(node: Node): void {
    if (!node.alive) return
    const now = this.state
    const before = node.role
    node.metadataOffset = this.test.state.offset - 1
    node.minIsr = this.minIsr
    if (before === now) return
    node.role = now
    if (before?.leaderEpoch === now.leaderEpoch && before.leader === now.leader) {
      // What was asked for is settled when a change has come, this one or another.
      if (before.partitionEpoch !== now.partitionEpoch) node.asked = null
    } else {
      node.followers.clear()
      node.asked = null
    }
    if (node.leads) this.advance(node)
  }

  append(node: Node): void {
    if (!node.leads || node.role!.isr.length < this.enough(node)) return
    node.log.push({ epoch: node.role!.leaderEpoch, value: this.#next++ })
    this.sync(node)
  }

  /** What is acknowledged is synced (`ack`), or some of it some time (`os`). */
  sync(node: Node): void {
    if (this.setting.flush === 'ack') node.synced = node.log.length
    else if (this.random.int(4) === 0) node.synced = this.random.int(node.log.length + 1)
    if (node.leads) this.advance(node)
  }

  /** From whom a broker copies. */
  source(node: Node): Node | undefined {
    const { role } = node
    if (!node.alive || role === null || role.leader === -1 || role.leader === node.id) return undefined
    if (!role.replicas.includes(node.id)) return undefined
    const at = role.isr.indexOf(node.id)
    const from = !this.setting.chain ? role.leader : at > 0 ? role.isr[at - 1]! : role.isr.at(-1)!
    return this.nodes.get(from)
  }

  fetch(node: Node): void {
    const from = this.source(node)
    if (from === undefined || !from.alive || from.role?.leaderEpoch !== node.role!.leaderEpoch) return
    if (from.role.leader !== node.role!.leader) return
    let same = 0
    while (same < node.log.length && same < from.log.length && node.log[same]!.epoch === from.log[same]!.epoch) same++
    if (same < node.log.length) {
      this.note(`${node.id} cuts ${node.log.length} to ${same}`)
      if (same < node.highWatermark) this.fail(`${node.id} cuts below its high watermark`)
      node.log.length = same
      node.synced = Math.min(node.synced, same)
      // What was said of bytes that are gone counts no more.
      for (const [id, follower] of node.followers) {
        node.followers.set(id, { ...follower, end: Math.min(follower.end, same) })
      }
    }
    node.log.push(...from.log.slice(same, same + 1 + this.random.int(4)))
    this.sync(node)
    this.report(node)
  }

  /** Whoever is fetched from hears how far the other is; in a chain, how far all behind it are. */
  report(node: Node): void {
    const from = this.source(node)
    const leader = this.nodes.get(node.role!.leader)
    if (from === undefined || leader === undefined) return
    const end = Math.min(node.log.length, this.setting.chain ? this.behind(node) : Number.POSITIVE_INFINITY)
    from.followers.set(node.id, { brokerEpoch: node.brokerEpoch, end })
    if (leader.leads && leader.role!.leaderEpoch === node.role!.leaderEpoch) {
      this.advance(leader)
      node.highWatermark = Math.min(leader.highWatermark, node.log.length)
    }
  }

  /** What the next one in the chain said. */
  behind(node: Node): number {
    const { isr } = node.role!
    const at = isr.indexOf(node.id)
    if (at === -1 || at === isr.length - 1) return Number.POSITIVE_INFINITY
    return node.followers.get(isr[at + 1]!)?.end ?? 0
  }

  /** The high watermark, over everybody who is in sync or may be by now (§5.2). */
  advance(leader: Node): void {
    const { isr } = leader.role!
    if (isr.length < this.enough(leader)) return
    const all = [...new Set([...isr, ...(leader.asked?.isr ?? [])])]
    // Who is about to join a chain is not heard at its head: it waits for the answer.
    if (this.setting.chain && all.length > isr.length) return
    const end = (id: number) => (id === leader.id ? leader.log.length : (leader.followers.get(id)?.end ?? 0))
    const reached = this.setting.chain ? Math.min(leader.log.length, this.behind(leader)) : Math.min(...all.map(end))
    if (reached <= leader.highWatermark) return
    leader.highWatermark = reached
    for (let at = 0; at < reached; at++) {
      this.committed[at] ??= leader.log[at]!
      if (leader.log[at] !== this.committed[at]) this.fail(`two values at ${at}`)
    }
  }

  /** A leader wants other followers in sync: who has caught up joins, somebody else falls behind. */
  propose(leader: Node): void {
    if (!leader.leads || leader.asked !== null) return
    const { isr, replicas, leaderEpoch, partitionEpoch } = leader.role!
    const epochStart = leader.log.findIndex(({ epoch }) => epoch === leaderEpoch)
    const since = epochStart === -1 ? leader.log.length : epochStart
    const joins = replicas.filter(id => {
      // In a chain the tail passes on who fetches from it.
      const from = this.setting.chain ? this.nodes.get(isr.at(-1)!)! : leader
      const same = from.alive && from.role?.leaderEpoch === leaderEpoch
      const end = same ? (from.followers.get(id)?.end ?? -1) : -1
      return !isr.includes(id) && end >= leader.highWatermark && end >= since
    })
    const stay = this.random.int(4) === 0 ? isr.filter(id => id === leader.id || this.random.int(2) === 0) : isr
    const next = [...stay, ...joins]
    if (next.join() === isr.join()) return
    const member = (brokerId: number) => ({
      brokerId,
      brokerEpoch:
        brokerId === leader.id
          ? leader.brokerEpoch
          : (this.#seen(leader, brokerId) ?? this.test.state.brokers.get(brokerId)!.epoch),
    })
    const wanted = {
      partitionIndex: 0,
      leaderEpoch,
      partitionEpoch,
      newIsrWithEpochs: next.map(member),
      leaderRecoveryState: 0,
    }
    const topics = [{ topicId: this.#topicId, partitions: [wanted] }]
    leader.asked = { isr: next, request: { ...member(leader.id), topics } }
  }

  #seen(leader: Node, brokerId: number): number | undefined {
    const tail = this.nodes.get(leader.role!.isr.at(-1)!)!
    return (this.setting.chain ? tail : leader).followers.get(brokerId)?.brokerEpoch
  }

  /** The question arrives; the answer is lost, or not. */
  deliver(leader: Node): void {
    if (!leader.alive || leader.asked === null) return
    const { request } = leader.asked
    const response = this.test.ask('alterPartition', request)
    const code = response.errorCode || response.topics[0]!.partitions[0]!.errorCode
    this.note(`${leader.id} asks for ${leader.asked.isr}: ${code}, ${this.test.shown('foo')}`)
    const heard = this.random.int(3)
    if (heard === 2 && code === ErrorCode.NONE) this.answered(leader, response.topics[0]!.partitions[0]!)
    else if (heard > 0) this.catchUp(leader)
    // After any other answer something has changed that the metadata will tell: until then both ISRs count.
    else if (code === ErrorCode.INELIGIBLE_REPLICA) leader.asked = null
  }

  /** The answer is there before the metadata is. */
  answered(leader: Node, { leaderEpoch, isr, partitionEpoch }: Answered): void {
    const role = leader.role!
    if (leaderEpoch !== role.leaderEpoch) return
    leader.asked = null
    if (partitionEpoch! < role.partitionEpoch) return
    const addingReplicas = role.addingReplicas.filter(id => !isr!.includes(id))
    const now = { isr: isr!, addingReplicas, eligibleLeaderReplicas: [], partitionEpoch: partitionEpoch! }
    leader.role = { ...role, ...now }
    this.advance(leader)
  }

  alter(): void {
    const value = this.random.int(4) === 0 ? null : String(1 + this.random.int(3))
    const configs = [{ name: 'min.insync.replicas', configOperation: value === null ? 1 : 0, value }]
    const resources = [{ resourceType: ResourceType.TOPIC, resourceName: 'foo', configs }]
    this.test.ask('incrementalAlterConfigs', { resources, validateOnly: false })
    this.note(`at least ${value}: ${this.test.shown('foo')}`)
  }

  kill(node: Node): void {
    if (!node.alive) return
    node.alive = false
    node.role = null
    this.note(`${node.id} dies`)
    // Its power is cut, too.
    node.log.length = this.random.int(node.log.length - node.synced + 1) + node.synced
    node.highWatermark = 0
  }

  start(node: Node, clean = false): void {
    if (node.alive) return
    node.alive = true
    node.incarnation++
    const previousBrokerEpoch = clean ? node.brokerEpoch : -1
    node.brokerEpoch = this.test.register(node.id, {
      incarnationId: uuid(`${node.id}-${node.incarnation}`),
      previousBrokerEpoch,
    })
    assert.ok(node.brokerEpoch > 0)
    node.metadataOffset = -1
    node.synced = node.log.length
    node.followers.clear()
    node.asked = null
    this.note(`${node.id} is back with ${node.log.length}: ${this.test.shown('foo')}`)
  }

  beat(node: Node, wantShutDown = false): void {
    if (!node.alive) return
    const currentMetadataOffset = node.metadataOffset
    const { shouldShutDown } = this.test.beat(node.id, node.brokerEpoch, { currentMetadataOffset, wantShutDown })
    if (!shouldShutDown) return
    node.alive = false
    node.role = null
    node.synced = node.log.length
    node.highWatermark = 0
    this.note(`${node.id} stops: ${this.test.shown('foo')}`)
    this.start(node, true)
  }

  move(): void {
    const replicas = [...this.nodes.keys()].filter(() => this.random.int(4) > 0)
    if (replicas.length < 2) return
    const topics = [
      { name: 'foo', partitions: [{ partitionIndex: 0, replicas: this.random.int(4) ? replicas : null }] },
    ]
    this.test.ask('alterPartitionReassignments', { timeoutMs: 1, topics })
    this.note(`moves: ${this.test.shown('foo')}`)
  }

  /** Who is in sync or eligible has everything that was committed. */
  check(): void {
    const { isr, eligibleLeaderReplicas } = this.state
    for (const id of [...isr, ...eligibleLeaderReplicas]) {
      const { log, alive } = this.nodes.get(id)!
      // Who lost something is still counted on until it is back and says so.
      if (!alive && this.setting.flush === 'os') continue
      for (const [at, entry] of this.committed.entries()) {
        if (log[at] !== entry) this.fail(`${id} lacks what was committed at ${at}`)
      }
    }
  }

  note(what: string): void {
    this.story.push(what)
    if (this.story.length > 40) this.story.shift()
  }

  fail(problem: string): never {
    const logs = [...this.nodes.values()].map(({ id, log }) => `${id}: ${log.map(({ epoch }) => epoch).join('')}`)
    assert.fail([problem, ...this.story, ...logs, this.test.shown('foo')].join('\n'))
  }
}

function run(seed: number, setting: Setting): { committed: number; leaders: number } {
  const model = new Model(seed, setting)
  const { random } = model
  const nodes = [...model.nodes.values()]
  const any = () => nodes[random.int(nodes.length)]!
  // Power may take what is not synced from one of three at a time; more than that `os` does not promise to survive.
  const mayDie = () => setting.flush === 'ack' || (nodes.every(({ alive }) => alive) && model.state.isr.length >= 3)
  const someSteps: readonly (readonly [weight: number, run: () => void])[] = [
    [
      60,
      () => {
        for (const node of nodes) model.append(node)
      },
    ],
    [160, () => model.fetch(any())],
    [80, () => model.catchUp(any())],
    [30, () => model.propose(any())],
    [40, () => model.deliver(any())],
    [30, () => model.beat(any())],
    [4, () => mayDie() && model.kill(any())],
    [20, () => model.start(any())],
    [2, () => model.beat(any(), true)],
    [4, () => fence(model, any())],
    [4, () => model.move()],
    [setting.alters ? 10 : 0, () => model.alter()],
    [2, () => model.test.ask('electPreferred', {})],
  ]
  const total = someSteps.reduce((sum, [weight]) => sum + weight, 0)
  for (let step = 0; step < 700; step++) {
    let left = random.int(total)
    for (const [weight, act] of someSteps) {
      left -= weight
      if (left >= 0) continue
      act()
      break
    }
    for (const node of nodes) if (node.alive && node.role === null && random.int(3) === 0) model.catchUp(node)
    model.check()
  }
  return { committed: model.committed.length, leaders: model.state.leaderEpoch }
}

/** A session ends, whether its broker lives or not. */
function fence(model: Model, node: Node): void {
  if (model.setting.flush === 'os' && node.alive) return
  model.test.ask('expireSession', { brokerId: node.id, brokerEpoch: model.test.state.brokers.get(node.id)!.epoch })
  model.note(`${node.id} is fenced: ${model.test.shown('foo')}`)
}

for (const [what, setting] of [
  ['min.insync.replicas 1', { flush: 'ack', minIsr: 1, chain: false }],
  ['min.insync.replicas 2', { flush: 'ack', minIsr: 2, chain: false }],
  ['min.insync.replicas 3', { flush: 'ack', minIsr: 3, chain: false }],
  ['another min.insync.replicas from time to time', { flush: 'ack', minIsr: 2, chain: false, alters: true }],
  ['a chain', { flush: 'ack', minIsr: 2, chain: true }],
  ['nothing synced, one power cut at a time', { flush: 'os', minIsr: 2, chain: false }],
] as const) {
  test(`whoever may lead has what was committed: ${what}`, () => {
    let committed = 0
    let leaders = 0
    for (let seed = 1; seed <= 40; seed++) {
      const one = run(seed, setting)
      committed += one.committed
      leaders += one.leaders
    }
    // A run in which nothing happens proves nothing.
    assert.ok(committed > 300 && leaders > 50, `${committed} committed under ${leaders} leaders`)
  })
}
