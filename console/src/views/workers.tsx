import { useState } from 'preact/hooks'
import { ask, type DescribedLeaseGroup, leaseGroupPath } from '../api.ts'
import { useLive, useSeries } from '../live.ts'
import { DeleteDialog } from '../parts/dialog.tsx'
import { Head } from '../parts/head.tsx'
import { Plot } from '../parts/plot.tsx'
import { Loaded } from '../parts/state.tsx'
import { Table } from '../parts/table.tsx'
import { go, link } from '../route.ts'
import { brief, count, time } from '../show.ts'

/** A group of workers that pull single messages with leases. */
export function WorkersPage({ name }: { name: string }) {
  const live = useLive<DescribedLeaseGroup>(leaseGroupPath(name), 2000)
  const lag = useSeries(live.data?.lag ?? null, live.data)
  const acquired = useSeries(live.data?.acquired ?? null, live.data)
  const [deletes, setDeletes] = useState(false)
  return (
    <>
      <Head among="Groups" place="groups" name={name} remove={() => setDeletes(true)} />
      <Loaded live={live}>
        {group => (
          <>
            <div class="plots">
              <Plot title="Not done" series={lag} show={brief} />
              <Plot title="With workers" series={acquired} show={brief} />
            </div>
            <h2>Progress</h2>
            <Table
              rows={group.partitions}
              keyOf={({ topic, partition }) => `${topic} ${partition}`}
              empty="Nothing was pulled yet."
              columns={[
                { title: 'Topic', cell: ({ topic }) => <a href={link('topics', topic)}>{topic}</a> },
                { title: 'Partition', numeric: true, cell: ({ partition }) => partition },
                { title: 'All done before', numeric: true, cell: ({ startOffset }) => count(startOffset) },
                { title: 'Not done', numeric: true, by: row => row.lag ?? -1, cell: row => count(row.lag) },
                { title: 'With workers', numeric: true, by: row => row.acquired, cell: row => count(row.acquired) },
                { title: 'Come back', numeric: true, by: row => row.waiting, cell: row => count(row.waiting) },
                {
                  title: 'First lease ends',
                  cell: ({ oldestLeaseEnds }) => (oldestLeaseEnds === null ? '–' : time(oldestLeaseEnds)),
                },
              ]}
            />
          </>
        )}
      </Loaded>
      {deletes && (
        <DeleteDialog
          what="group"
          name={name}
          warning="What its workers have done is forgotten. A group of that name begins anew."
          close={() => setDeletes(false)}
          run={async () => {
            await ask(leaseGroupPath(name), { method: 'DELETE' })
            go('groups')
          }}
        />
      )}
    </>
  )
}
