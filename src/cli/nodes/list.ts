import type { Cluster } from '../../client/cluster.ts'
import { sleep } from '../../client/retry.ts'
import { type ConnectFlags, withCluster } from '../connect.ts'
import { size } from '../progress.ts'
import { table } from '../table.ts'
import type { Terminal } from '../terminal.ts'
import { balanceStates } from './balance.ts'
import { type Move, type Moving, movesOf, sizesOn, sum } from './moves.ts'
import { type ClusterView, clusterView } from './quorum.ts'

/** ms between the two looks that tell how fast moves are. */
const betweenLooksMs = 1000

export function list(flags: ConnectFlags & { json?: boolean }, terminal: Terminal): Promise<void> {
  return withCluster(flags, terminal, async cluster => {
    const view = await clusterView(cluster)
    const rows = await described(cluster, view)
    const moving = await look(cluster)
    if (flags.json === true) {
      for (const row of rows) terminal.stdout.write(`${JSON.stringify(row)}\n`)
      for (const move of moving.moves) terminal.stdout.write(`${JSON.stringify({ move })}\n`)
      return
    }
    const head = ['node', 'address', 'state', 'quorum', 'leads', 'holds', 'bytes']
    const { green, red, yellow } = terminal.paint
    const colour = (state: string) =>
      state === 'serving' ? green(state) : state === 'down' ? red(state) : yellow(state)
    const cells = rows.map(row => [
      String(row.node),
      row.address,
      colour(row.state),
      row.quorum,
      String(row.leads),
      String(row.holds),
      row.bytes < 0 ? '' : size(row.bytes),
    ])
    terminal.stdout.write(table(head, cells, terminal))
    if (moving.moves.length > 0) terminal.stdout.write(`\n${movesText(moving, terminal)}`)
  })
}

interface Row {
  readonly node: number
  readonly address: string
  readonly rack: string | null
  readonly state: string
  readonly quorum: string
  readonly leads: number
  readonly holds: number
  /** −1: not known. */
  readonly bytes: number
}

async function described(cluster: Cluster, view: ClusterView): Promise<Row[]> {
  const { topics } = await cluster.metadata(null)
  const balance = await balanceStates(
    cluster,
    view.nodes.filter(({ fenced }) => !fenced).map(({ id }) => id),
  )
  const rows: Row[] = []
  for (const { id, address, rack, fenced } of view.nodes) {
    const partitions = topics.flatMap(topic => topic.partitions)
    const sizes = fenced ? null : await sizesOn(cluster, id)
    const state = balance.get(id) ?? 'settled'
    rows.push({
      node: id,
      address,
      rack,
      state: fenced ? 'down' : state === 'settled' ? 'serving' : state,
      quorum: quorumRole(id, view),
      leads: partitions.filter(({ leaderId }) => leaderId === id).length,
      holds: partitions.filter(({ replicas }) => replicas.includes(id)).length,
      bytes: sizes === null ? -1 : [...sizes.values()].reduce((bytes, each) => bytes + each, 0),
    })
  }
  return rows
}

function quorumRole(id: number, { controller, quorum }: ClusterView): string {
  const member = quorum.find(each => each.id === id)
  const behind = member !== undefined && member.lag > 0 ? `, ${member.lag} behind` : ''
  if (id === controller) return 'controller'
  return `${member?.voter === true ? 'voter' : 'observer'}${behind}`
}

async function look(cluster: Cluster): Promise<Moving> {
  const { clock } = cluster.world
  const first = await movesOf(cluster)
  if (first.length === 0) return sum(first, null, 0)
  const began = clock.mono()
  await sleep(cluster.world, betweenLooksMs)
  return sum(await movesOf(cluster), first, clock.mono() - began)
}

const shownMoves = 20

export function movesText(moving: Moving, { paint }: Terminal): string {
  const lines = [`${moving.moves.length} on the move: ${progressText(moving)}`]
  for (const move of moving.moves.slice(0, shownMoves))
    lines.push(`  ${paint.bold(`${move.topic}-${move.partition}`)} ${pathOf(move)}`)
  if (moving.moves.length > shownMoves) lines.push(`  and ${moving.moves.length - shownMoves} more`)
  return lines.map(line => `${line}\n`).join('')
}

function pathOf({ to, from, done, total }: Move): string {
  const away = from.length > 0 ? ` from ${from.join(', ')}` : ''
  if (to < 0) return `leaves ${from.join(', ')}`
  return `to ${to}${away}  ${size(Math.max(0, done))} of ${total < 0 ? '?' : size(total)}`
}

/** `1.2 GB of 3.0 GB, 80.0 MB a second, 23 s left` */
export function progressText({ done, total, rate }: Moving): string {
  const parts = [`${size(done)} of ${size(total)}`]
  if (rate !== null && rate > 0)
    parts.push(`${size(Math.round(rate))} a second`, `${timeText((total - done) / rate)} left`)
  return parts.join(', ')
}

function timeText(seconds: number): string {
  if (seconds < 100) return `${Math.ceil(seconds)} s`
  if (seconds < 6000) return `${Math.ceil(seconds / 60)} min`
  return `${(seconds / 3600).toFixed(1)} h`
}
