import type { Cluster } from '../../client/cluster.ts'
import { clusterView } from '../../client/cluster-view.ts'
import { type Move, type Moving, movesOf, sum } from '../../client/moves.ts'
import { describeNodes } from '../../client/nodes.ts'
import { sleep } from '../../client/retry.ts'
import { type ConnectFlags, withCluster } from '../connect.ts'
import { size } from '../progress.ts'
import { table } from '../table.ts'
import type { Terminal } from '../terminal.ts'

/** ms between the two looks that tell how fast moves are. */
const betweenLooksMs = 1000

export function list(flags: ConnectFlags & { json?: boolean }, terminal: Terminal): Promise<void> {
  return withCluster(flags, terminal, async cluster => {
    const view = await clusterView(cluster)
    const rows = await describeNodes(cluster, view)
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
