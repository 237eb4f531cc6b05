import { type ConnectFlags, withCluster } from '../connect.ts'
import { table } from '../table.ts'
import type { Terminal } from '../terminal.ts'
import { listGroups } from './groups.ts'

interface ListFlags extends ConnectFlags {
  readonly state?: string | true
  readonly type?: string | true
  readonly json?: boolean
}

export function list(flags: ListFlags, terminal: Terminal): Promise<void> {
  return withCluster(flags, terminal, async cluster => {
    const groups = await listGroups(cluster, words(flags.state), words(flags.type))
    if (flags.json === true) {
      for (const { groupId, ...rest } of groups)
        terminal.stdout.write(`${JSON.stringify({ group: groupId, ...rest })}\n`)
    } else if (groups.length === 0 && terminal.isTerminal) {
      terminal.stdout.write('there are no groups yet\n')
    } else if (!terminal.isTerminal && flags.state === undefined && flags.type === undefined) {
      for (const { groupId } of groups) terminal.stdout.write(`${groupId}\n`)
    } else {
      const rows = groups.map(({ groupId, state, type, protocolType }) => [groupId, state, type, protocolType])
      terminal.stdout.write(table(['group', 'state', 'type', 'protocol'], rows, terminal))
    }
  })
}

/** A flag without a value asks for the column, not for a filter. */
function words(text: string | true | undefined): string[] {
  return typeof text === 'string' ? text.split(',').map(word => word.trim()) : []
}
