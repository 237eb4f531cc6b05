import { useState } from 'preact/hooks'
import { ask, type Topic, topicPath } from '../api.ts'
import { Dialog, Form } from '../parts/dialog.tsx'
import { Table } from '../parts/table.tsx'
import { count } from '../show.ts'

export function Partitions({ topic, changed }: { topic: Topic; changed: () => void }) {
  const [grows, setGrows] = useState(false)
  const [wanted, setWanted] = useState(String(topic.partitions.length + 1))
  return (
    <>
      <div class="bar">
        <button type="button" onClick={() => setGrows(true)}>
          More partitions …
        </button>
      </div>
      <Table
        rows={topic.partitions}
        keyOf={({ partition }) => String(partition)}
        empty="none"
        columns={[
          { title: 'Partition', numeric: true, by: row => row.partition, cell: row => row.partition },
          { title: 'Leader', numeric: true, by: row => row.leader ?? -1, cell: row => row.leader ?? 'none' },
          { title: 'Copies', cell: row => row.replicas.join(', ') },
          {
            title: 'In sync',
            by: row => row.isr.length - row.replicas.length,
            cell: row => <span class={row.isr.length < row.replicas.length ? 'bad' : ''}>{row.isr.join(', ')}</span>,
          },
          { title: 'From', numeric: true, by: row => row.start ?? -1, cell: row => count(row.start) },
          { title: 'To', numeric: true, by: row => row.end ?? -1, cell: row => count(row.end) },
          {
            title: 'Messages',
            numeric: true,
            by: row => (row.end ?? 0) - (row.start ?? 0),
            cell: row => count(row.end === null || row.start === null ? null : row.end - row.start),
          },
        ]}
      />
      {grows && (
        <Dialog title="More partitions" close={() => setGrows(false)}>
          <Form
            does="Add"
            run={async () => {
              await ask(topicPath(topic.name), { method: 'PATCH', body: { partitions: Number(wanted) } })
              changed()
              setGrows(false)
            }}
          >
            <p>They never become fewer again, and keys may go to other partitions than before.</p>
            <label>
              Partitions then
              <input
                type="number"
                min={topic.partitions.length + 1}
                value={wanted}
                onInput={event => setWanted(event.currentTarget.value)}
              />
            </label>
          </Form>
        </Dialog>
      )}
    </>
  )
}
