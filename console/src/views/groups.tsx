import { useState } from 'preact/hooks'
import type { GroupSummary, LeaseGroup } from '../api.ts'
import { useLive } from '../live.ts'
import { Filter } from '../parts/filter.tsx'
import { Badge, Loaded } from '../parts/state.tsx'
import { Table } from '../parts/table.tsx'
import { link } from '../route.ts'
import { count } from '../show.ts'

export function Groups() {
  const [filter, setFilter] = useState('')
  const live = useLive<{ groups: GroupSummary[] }>('/groups')
  const workers = useLive<{ groups: LeaseGroup[] }>('/lease-groups')
  const fits = ({ group }: { group: string }) => group.toLowerCase().includes(filter.toLowerCase())
  return (
    <>
      <h1>Groups</h1>
      <div class="bar">
        <Filter text={filter} set={setFilter} />
      </div>
      <Loaded live={live}>
        {({ groups }) => (
          <Table
            rows={groups.filter(fits)}
            keyOf={({ group, type }) => `${type} ${group}`}
            empty={groups.length === 0 ? 'Nobody reads as a group yet.' : 'No name contains that.'}
            columns={[
              {
                title: 'Group',
                by: ({ group }) => group,
                cell: ({ group, type }) => <a href={link(type === 'share' ? 'workers' : 'groups', group)}>{group}</a>,
              },
              { title: 'State', by: ({ state }) => state, cell: ({ state }) => <Badge state={state} /> },
              { title: 'Kind', by: ({ type }) => type, cell: ({ type }) => type },
              { title: 'Protocol', by: ({ protocolType }) => protocolType, cell: ({ protocolType }) => protocolType },
            ]}
          />
        )}
      </Loaded>
      <h2>Workers that pull</h2>
      <Loaded live={workers}>
        {({ groups }) => (
          <Table
            rows={groups.filter(fits)}
            keyOf={({ group }) => group}
            empty={groups.length === 0 ? 'Nobody pulls yet.' : 'No name contains that.'}
            columns={[
              {
                title: 'Group',
                by: ({ group }) => group,
                cell: ({ group }) => <a href={link('workers', group)}>{group}</a>,
              },
              { title: 'Topics', cell: ({ topics }) => topics.join(', ') },
              { title: 'Lag', numeric: true, by: ({ lag }) => lag ?? -1, cell: ({ lag }) => count(lag) },
              { title: 'With workers', numeric: true, by: row => row.acquired, cell: row => count(row.acquired) },
              { title: 'Come back', numeric: true, by: row => row.waiting, cell: row => count(row.waiting) },
            ]}
          />
        )}
      </Loaded>
    </>
  )
}
