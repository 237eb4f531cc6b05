import type { Move, Node } from '../api.ts'
import { useLive } from '../live.ts'
import { Badge, Loaded } from '../parts/state.tsx'
import { Table } from '../parts/table.tsx'
import { bytes, count } from '../show.ts'

export function Nodes() {
  const live = useLive<{ nodes: Node[]; moves: Move[] }>('/nodes')
  return (
    <>
      <h1>Nodes</h1>
      <Loaded live={live}>
        {({ nodes, moves }) => (
          <>
            <Table
              rows={nodes}
              keyOf={({ node }) => String(node)}
              empty="none"
              columns={[
                { title: 'Node', numeric: true, by: row => row.node, cell: row => row.node },
                { title: 'State', by: row => row.state, cell: row => <Badge state={row.state} /> },
                { title: 'Address', by: row => row.address, cell: row => <code>{row.address}</code> },
                { title: 'Metadata', by: row => row.quorum, cell: row => row.quorum },
                { title: 'Leads', numeric: true, by: row => row.leads, cell: row => count(row.leads) },
                { title: 'Holds', numeric: true, by: row => row.holds, cell: row => count(row.holds) },
                { title: 'On disk', numeric: true, by: row => row.bytes ?? -1, cell: row => bytes(row.bytes) },
                ...(nodes.some(({ rack }) => rack !== null)
                  ? [{ title: 'Rack', by: (row: Node) => row.rack ?? '', cell: (row: Node) => row.rack ?? '–' }]
                  : []),
              ]}
            />
            {moves.length > 0 && (
              <section>
                <h2>On the move</h2>
                <Table
                  rows={moves}
                  keyOf={({ topic, partition, to }) => `${topic} ${partition} ${to}`}
                  empty=""
                  columns={[
                    { title: 'Partition', cell: row => `${row.topic}-${row.partition}` },
                    { title: 'From', cell: row => row.from.join(', ') || '–' },
                    { title: 'To', cell: row => row.to ?? '–' },
                    {
                      title: 'Done',
                      cell: row => (
                        <>
                          <progress max={row.total ?? 1} value={row.done ?? 0} /> {bytes(row.done)} of{' '}
                          {bytes(row.total)}
                        </>
                      ),
                    },
                  ]}
                />
              </section>
            )}
          </>
        )}
      </Loaded>
    </>
  )
}
