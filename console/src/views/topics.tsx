import { useState } from 'preact/hooks'
import { ask, type TopicSummary } from '../api.ts'
import { useLive } from '../live.ts'
import { Dialog, Form } from '../parts/dialog.tsx'
import { Filter } from '../parts/filter.tsx'
import { Loaded } from '../parts/state.tsx'
import { Table } from '../parts/table.tsx'
import { say } from '../parts/toast.tsx'
import { go, link } from '../route.ts'
import { count } from '../show.ts'

export function Topics() {
  const [filter, setFilter] = useState('')
  const [internal, setInternal] = useState(false)
  const [creates, setCreates] = useState(false)
  const live = useLive<{ topics: TopicSummary[] }>(`/topics?internal=${internal}`)
  return (
    <>
      <h1>Topics</h1>
      <div class="bar">
        <Filter text={filter} set={setFilter} />
        <label class="check">
          <input type="checkbox" checked={internal} onChange={event => setInternal(event.currentTarget.checked)} />
          internal ones
        </label>
        <button type="button" class="primary" data-key="n" onClick={() => setCreates(true)}>
          New topic
        </button>
      </div>
      <Loaded live={live}>
        {({ topics }) => (
          <Table
            rows={topics.filter(({ name }) => name.toLowerCase().includes(filter.toLowerCase()))}
            keyOf={({ name }) => name}
            empty={topics.length === 0 ? 'There are no topics yet.' : 'No name contains that.'}
            columns={[
              {
                title: 'Name',
                by: ({ name }) => name,
                cell: ({ name, internal }) => (
                  <>
                    <a href={link('topics', name)}>{name}</a> {internal && <span class="badge">internal</span>}
                  </>
                ),
              },
              {
                title: 'Partitions',
                numeric: true,
                by: ({ partitions }) => partitions,
                cell: ({ partitions }) => count(partitions),
              },
              {
                title: 'Copies',
                numeric: true,
                by: ({ replicationFactor }) => replicationFactor,
                cell: ({ replicationFactor }) => count(replicationFactor),
              },
            ]}
          />
        )}
      </Loaded>
      {creates && <NewTopic close={() => setCreates(false)} />}
    </>
  )
}

function NewTopic({ close }: { close: () => void }) {
  const [name, setName] = useState('')
  const [partitions, setPartitions] = useState('')
  const [copies, setCopies] = useState('')
  const [retention, setRetention] = useState('')
  const run = async () => {
    const configs = retention === '' ? {} : { configs: { 'retention.ms': Math.round(Number(retention) * 3_600_000) } }
    const body = {
      name,
      ...(partitions === '' ? {} : { partitions: Number(partitions) }),
      ...(copies === '' ? {} : { replicationFactor: Number(copies) }),
      ...configs,
    }
    await ask('/topics', { method: 'POST', body })
    say(`${name} is there`)
    go('topics', name)
  }
  return (
    <Dialog title="New topic" close={close}>
      <Form does="Create" run={run} disabled={name === ''}>
        <label>
          Name
          <input name="name" value={name} autocomplete="off" onInput={event => setName(event.currentTarget.value)} />
        </label>
        <div class="row">
          <label>
            Partitions
            <input
              name="partitions"
              type="number"
              min="1"
              value={partitions}
              placeholder="default"
              onInput={event => setPartitions(event.currentTarget.value)}
            />
          </label>
          <label>
            Copies
            <input
              name="copies"
              type="number"
              min="1"
              value={copies}
              placeholder="default"
              onInput={event => setCopies(event.currentTarget.value)}
            />
          </label>
          <label>
            Kept for, hours
            <input
              name="retention"
              type="number"
              min="0"
              step="any"
              value={retention}
              placeholder="default"
              onInput={event => setRetention(event.currentTarget.value)}
            />
          </label>
        </div>
      </Form>
    </Dialog>
  )
}
