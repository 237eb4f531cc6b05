import { setBalance } from '../../client/balance.ts'
import type { Cluster } from '../../client/cluster.ts'
import { clusterView, type NodeState } from '../../client/cluster-view.ts'
import { throwIf } from '../../client/failures.ts'
import { type Move, movesOf, sum } from '../../client/moves.ts'
import { sleep } from '../../client/retry.ts'
import { UnregisterBroker } from '../../protocol/messages/unregister-broker.ts'
import { type ConnectFlags, withCluster } from '../connect.ts'
import { Failure } from '../failure.ts'
import type { Terminal } from '../terminal.ts'
import { parseCount } from '../when.ts'
import { progressText } from './list.ts'
import { handOverVote } from './votes.ts'

interface WaitFlags extends ConnectFlags {
  readonly wait?: boolean
}

/** ms between looks at what is still there. */
const lookMs = 1000
/** ms for which partitions without a leader, and no others, are waited for: whoever leads next may be about to be chosen. */
const leaderlessMs = 15_000

export function drain(text: string, flags: WaitFlags, terminal: Terminal): Promise<void> {
  return withNode(text, flags, terminal, async (cluster, { id }) => {
    await checkRoom(cluster, id)
    await setBalance(cluster, id, 'draining')
    if (flags.wait === false) return say(terminal, `node ${id} is being drained; ottla nodes list shows how far it is`)
    await untilEmpty(cluster, id, terminal, () => {})
    await giveVote(cluster, id, terminal)
    say(terminal, `node ${id} holds nothing any more: stop it, then ottla nodes remove ${id}`)
  })
}

export function undrain(text: string, flags: ConnectFlags, terminal: Terminal): Promise<void> {
  return withNode(text, flags, terminal, async (cluster, { id }) => {
    await setBalance(cluster, id, 'joining')
    say(terminal, `node ${id} gets its share again`)
  })
}

export function remove(text: string, flags: ConnectFlags, terminal: Terminal): Promise<void> {
  return withNode(text, flags, terminal, async (cluster, node) => {
    if (!node.fenced) throw new Failure(`node ${node.id} is running: ottla nodes drain ${node.id}, then stop it`)
    const { partitions } = await heldBy(cluster, node.id)
    if (partitions > 0)
      throw new Failure(
        `node ${node.id} still holds ${counted(partitions)}: ottla nodes replace ${node.id} has them made elsewhere`,
      )
    await giveVote(cluster, node.id, terminal)
    await unregister(cluster, node.id)
    say(terminal, `node ${node.id} is no part of the cluster any more`)
  })
}

export function replace(text: string, flags: WaitFlags, terminal: Terminal): Promise<void> {
  return withNode(text, flags, terminal, async (cluster, node) => {
    if (!node.fenced) throw new Failure(`node ${node.id} is running: to take it out, ottla nodes drain ${node.id}`)
    await checkRoom(cluster, node.id)
    await setBalance(cluster, node.id, 'gone')
    await giveVote(cluster, node.id, terminal)
    if (flags.wait === false) return say(terminal, `what node ${node.id} held is made elsewhere`)
    await untilEmpty(cluster, node.id, terminal, serving => {
      if (serving)
        throw new Failure(
          `node ${node.id} runs again, and keeps what it holds: to take it out all the same, ottla nodes drain ${node.id}`,
        )
    })
    await unregister(cluster, node.id)
    say(terminal, `what node ${node.id} held is elsewhere, and it is no part of the cluster any more`)
  })
}

function withNode(
  text: string,
  flags: ConnectFlags,
  terminal: Terminal,
  use: (cluster: Cluster, node: NodeState) => Promise<void>,
): Promise<void> {
  const id = parseCount('node', text, 0, 2 ** 31 - 1)
  return withCluster(flags, terminal, async cluster => {
    const { nodes } = await clusterView(cluster)
    const node = nodes.find(each => each.id === id)
    if (node === undefined)
      throw new Failure(`there is no node ${id}; there are ${nodes.map(each => each.id).join(', ')}`)
    await use(cluster, node)
  })
}

/** Says which partitions keep a node from being drained: those that want as many copies as there are nodes. */
async function checkRoom(cluster: Cluster, id: number): Promise<void> {
  const { topics } = await cluster.metadata(null)
  const { nodes } = await clusterView(cluster)
  const others = nodes.filter(node => node.id !== id && !node.fenced).length
  const stuck = topics.flatMap(({ name, partitions }) =>
    partitions
      .filter(({ replicas }) => replicas.includes(id) && replicas.length > others)
      .map(({ partition }) => `${name}-${partition}`),
  )
  if (stuck.length === 0) return
  throw new Failure(
    `node ${id} cannot be spared: without it ${others} ${others === 1 ? 'node is' : 'nodes are'} left, too few for the ` +
      `copies of ${counted(stuck.length)} (${someOf(stuck)}); add a node first`,
  )
}

const someOf = (names: readonly string[]): string => `${names.slice(0, 10).join(', ')}${names.length > 10 ? ', …' : ''}`

const counted = (partitions: number): string => `${partitions} ${partitions === 1 ? 'partition' : 'partitions'}`

interface Held {
  /** Partitions that have a copy on the node. */
  readonly partitions: number
  /** Those that nobody leads, by name: there is nobody to copy them from. */
  readonly leaderless: readonly string[]
  /** The node serves. */
  readonly serving: boolean
}

async function heldBy(cluster: Cluster, id: number): Promise<Held> {
  const { topics, brokers } = await cluster.metadata(null)
  const held = topics.flatMap(({ name, partitions }) =>
    partitions.filter(({ replicas }) => replicas.includes(id)).map(each => ({ ...each, name })),
  )
  return {
    partitions: held.length,
    leaderless: held.filter(({ leaderId }) => leaderId < 0).map(({ name, partition }) => `${name}-${partition}`),
    serving: brokers.some(({ nodeId }) => nodeId === id),
  }
}

/** Fulfilled when a node holds nothing any more; rejects when it never will. `check` is asked at each look, and may throw. */
async function untilEmpty(
  cluster: Cluster,
  id: number,
  terminal: Terminal,
  check: (serving: boolean) => void,
): Promise<void> {
  const { clock } = cluster.world
  const showsProgress = terminal.stderr.isTTY === true
  let before: readonly Move[] | null = null
  let lookedAt = 0
  let othersLeftAt = clock.mono()
  try {
    for (;;) {
      const left = await heldBy(cluster, id)
      check(left.serving)
      if (left.partitions === 0) return
      // It takes a while, in which the controller may change.
      const moves = await cluster.retry(() => movesOf(cluster))
      const now = clock.mono()
      if (left.leaderless.length < left.partitions || moves.length > 0) othersLeftAt = now
      if (now - othersLeftAt > leaderlessMs) throw new Failure(cannotLeave(id, left.leaderless))
      const moving = sum(moves, before, now - lookedAt)
      before = moves
      lookedAt = now
      if (showsProgress) {
        const text = `${counted(left.partitions)} left;${progressText(moving)}`
        terminal.stderr.write(`\r\x1b[K${terminal.errorPaint.dim(text)}`)
      }
      await sleep(cluster.world, lookMs)
    }
  } finally {
    if (showsProgress) terminal.stderr.write('\r\x1b[K')
  }
}

const cannotLeave = (id: number, leaderless: readonly string[]): string =>
  `nobody leads ${counted(leaderless.length)} of those that node ${id} holds (${someOf(leaderless)}), so they cannot be copied: ` +
  'start a node that has them, or delete their topics, then run this again'

async function giveVote(cluster: Cluster, id: number, terminal: Terminal): Promise<void> {
  for (const heir of await handOverVote(cluster, id))
    say(terminal, `node ${heir} votes about the metadata instead of node ${id}`)
}

async function unregister(cluster: Cluster, brokerId: number): Promise<void> {
  const connection = await cluster.controller()
  const answer = await connection.request(UnregisterBroker, { brokerId })
  throwIf(answer.errorCode, `node ${brokerId}`, answer.errorMessage)
}

const say = (terminal: Terminal, line: string): void => void terminal.stdout.write(`${line}\n`)
