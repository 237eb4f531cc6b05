import { clusterView } from '../../client/cluster-view.ts'
import { type ConnectFlags, withCluster } from '../connect.ts'
import { table } from '../table.ts'
import type { Terminal } from '../terminal.ts'

export function describe(flags: ConnectFlags & { json?: boolean }, terminal: Terminal): Promise<void> {
  return withCluster(flags, terminal, async cluster => {
    const view = await clusterView(cluster)
    if (flags.json === true) {
      terminal.stdout.write(`${JSON.stringify(view)}\n`)
      return
    }
    const ids = (voter: boolean) => view.quorum.filter(member => member.voter === voter).map(({ id }) => id)
    const rows = [
      ['cluster', view.clusterId],
      [
        'controller',
        view.controller < 0
          ? terminal.paint.red('none')
          : `${view.controller}${view.epoch < 0 ? '' : ` in epoch ${view.epoch}`}`,
      ],
      ['voters', ids(true).join(', ')],
      ['observers', ids(false).join(', ')],
      [
        'nodes',
        view.nodes.map(({ id, address, fenced }) => `${id} at ${address}${fenced ? ' (down)' : ''}`).join(', '),
      ],
    ].filter(([, value]) => value !== '')
    terminal.stdout.write(table(['', ''], rows as string[][], terminal))
  })
}
