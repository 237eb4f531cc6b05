import { useState } from 'preact/hooks'
import type { GroupSummary } from '../api.ts'
import { useLive } from '../live.ts'
import { Badge, Loaded } from '../parts/state.tsx'
import { Table } from '../parts/table.tsx'
import { link } from '../route.ts'

export function Groups() {
  const [filter, setFilter] = useState('')
  const live = useLive<{ groups: GroupSummary[] }>('/groups')
  return (
    <>
      <h1>Groups</h1>
      <div class="bar">
        <input
          type="search"
          placeholder="Filter by name  /"
          aria-label="Filter by name"
          data-key="/"
          value={filter}
          onInput={event => setFilter(event.currentTarget.value)}
        />
      </div>
      <Loaded live={live}>
        {({ groups }) => (
          <Table
            rows={groups.filter(({ group }) => group.toLowerCase().includes(filter.toLowerCase()))}
            keyOf={({ group }) => group}
            empty={groups.length === 0 ? 'Nobody reads as a group yet.' : 'No name contains that.'}
            columns={[
              {
                title: 'Group',
                by: ({ group }) => group,
                cell: ({ group }) => <a href={link('groups', group)}>{group}</a>,
              },
              { title: 'State', by: ({ state }) => state, cell: ({ state }) => <Badge state={state} /> },
              { title: 'Kind', by: ({ type }) => type, cell: ({ type }) => type },
              { title: 'Protocol', by: ({ protocolType }) => protocolType, cell: ({ protocolType }) => protocolType },
            ]}
          />
        )}
      </Loaded>
    </>
  )
}
