import { useState } from 'preact/hooks'
import { ask, type Group, groupPath, type ResetMove } from '../api.ts'
import { useLive, useSeries } from '../live.ts'
import { DeleteDialog, Dialog, Form } from '../parts/dialog.tsx'
import { Head } from '../parts/head.tsx'
import { Plot } from '../parts/plot.tsx'
import { Badge, Loaded } from '../parts/state.tsx'
import { Table } from '../parts/table.tsx'
import { say } from '../parts/toast.tsx'
import { go, link } from '../route.ts'
import { brief, count, plural } from '../show.ts'

export function GroupPage({ name }: { name: string }) {
  const live = useLive<Group>(groupPath(name), 2000)
  const lag = useSeries(live.data?.lag ?? null, live.data)
  const [open, setOpen] = useState<'reset' | 'delete' | null>(null)
  const close = () => setOpen(null)
  return (
    <>
      <Head among="Groups" place="groups" name={name} remove={() => setOpen('delete')}>
        <button type="button" onClick={() => setOpen('reset')}>
          Reset …
        </button>
      </Head>
      <Loaded live={live}>
        {group => (
          <>
            <div class="about">
              <p>
                <Badge state={group.state} /> {plural(group.members.length, 'member')},{' '}
                <strong>{count(group.lag)}</strong> behind
              </p>
              <Plot title="Lag" series={lag} show={brief} />
            </div>
            <h2>Progress</h2>
            <Table
              rows={group.offsets}
              keyOf={({ topic, partition }) => `${topic} ${partition}`}
              empty="Nothing is committed, and nobody reads."
              columns={[
                {
                  title: 'Topic',
                  by: ({ topic, partition }) => `${topic} ${String(partition).padStart(6, '0')}`,
                  cell: ({ topic }) => <a href={link('topics', topic)}>{topic}</a>,
                },
                { title: 'Partition', numeric: true, cell: ({ partition }) => partition },
                { title: 'Committed', numeric: true, cell: ({ committed }) => count(committed) },
                { title: 'End', numeric: true, cell: ({ end }) => count(end) },
                {
                  title: 'Lag',
                  numeric: true,
                  by: ({ lag }) => lag ?? -1,
                  cell: ({ lag }) => <strong>{count(lag)}</strong>,
                },
                {
                  title: 'Read by',
                  cell: ({ member }) => group.members.find(each => each.member === member)?.client ?? '–',
                },
              ]}
            />
            {group.members.length > 0 && (
              <>
                <h2>Members</h2>
                <Table
                  rows={group.members}
                  keyOf={({ member }) => member}
                  empty=""
                  columns={[
                    { title: 'Client', by: ({ client }) => client, cell: ({ client }) => client },
                    { title: 'Host', cell: ({ host }) => host.replace(/^\//, '') },
                    { title: 'Instance', cell: ({ instance }) => instance ?? '–' },
                    { title: 'Partitions', numeric: true, cell: ({ partitions }) => count(partitions.length) },
                    { title: 'Id', cell: ({ member }) => <code>{member}</code> },
                  ]}
                />
              </>
            )}
            {open === 'reset' && <Reset group={group} close={close} done={live.reload} />}
            {open === 'delete' && (
              <DeleteDialog
                what="group"
                name={name}
                warning="Where it has come to is forgotten. Members that come back begin as new ones."
                close={close}
                run={async () => {
                  await ask(groupPath(name), { method: 'DELETE' })
                  go('groups')
                }}
              />
            )}
          </>
        )}
      </Loaded>
    </>
  )
}

type Target = 'earliest' | 'latest' | 'timestamp' | 'by'

/** Shows what would happen before it does. */
function Reset({ group, close, done }: { group: Group; close: () => void; done: () => void }) {
  const topics = [...new Set(group.offsets.map(({ topic }) => topic))]
  const [topic, setTopic] = useState(topics[0] ?? '')
  const [target, setTarget] = useState<Target>('earliest')
  const [at, setAt] = useState('')
  const [by, setBy] = useState('-100')
  const [moves, setMoves] = useState<ResetMove[] | null>(null)
  const body = (execute: boolean) => ({
    to: target === 'timestamp' ? { timestamp: Date.parse(at) } : target === 'by' ? { by: Number(by) } : target,
    partitions: [{ topic }],
    execute,
  })
  const post = (execute: boolean) =>
    ask<{ moves: ResetMove[] }>(`${groupPath(group.group)}/reset`, { method: 'POST', body: body(execute) })
  const changed = <T,>(set: (value: T) => void) => {
    return (value: T) => {
      set(value)
      setMoves(null)
    }
  }
  return (
    <Dialog title={`Reset ${group.group}`} close={close} wide>
      {group.members.length > 0 && (
        <p class="problem">
          The group has {plural(group.members.length, 'member')}: only a preview is possible until they have stopped.
        </p>
      )}
      <Form
        does={moves === null ? 'Preview' : `Move ${plural(moves.length, 'partition')}`}
        danger={moves !== null}
        disabled={topic === '' || (target === 'timestamp' && at === '') || (moves !== null && group.members.length > 0)}
        run={async () => {
          if (moves === null) {
            setMoves((await post(false)).moves)
            return
          }
          await post(true)
          say(`${group.group} goes on from there`)
          done()
          close()
        }}
      >
        <div class="row">
          <label>
            Topic
            <input
              list="topics"
              value={topic}
              name="topic"
              onInput={event => changed(setTopic)(event.currentTarget.value)}
            />
            <datalist id="topics">
              {topics.map(each => (
                <option key={each} value={each} />
              ))}
            </datalist>
          </label>
          <label>
            To
            <select
              name="to"
              value={target}
              onChange={event => changed(setTarget)(event.currentTarget.value as Target)}
            >
              <option value="earliest">the beginning</option>
              <option value="latest">the end</option>
              <option value="timestamp">a time</option>
              <option value="by">some messages on or back</option>
            </select>
          </label>
          {target === 'timestamp' && (
            <label>
              Time
              <input
                type="datetime-local"
                step="1"
                value={at}
                onInput={event => changed(setAt)(event.currentTarget.value)}
              />
            </label>
          )}
          {target === 'by' && (
            <label>
              Messages
              <input type="number" value={by} onInput={event => changed(setBy)(event.currentTarget.value)} />
            </label>
          )}
        </div>
        {moves !== null && (
          <Table
            rows={moves}
            keyOf={({ topic, partition }) => `${topic} ${partition}`}
            empty="There is nothing to move."
            columns={[
              { title: 'Partition', cell: ({ topic, partition }) => `${topic}-${partition}` },
              { title: 'From', numeric: true, cell: ({ from }) => count(from) },
              { title: 'To', numeric: true, cell: ({ to }) => count(to) },
              {
                title: 'By',
                numeric: true,
                cell: ({ from, to }) =>
                  from === null ? '–' : `${to >= from ? '+' : '−'}${count(Math.abs(to - from))}`,
              },
            ]}
          />
        )}
      </Form>
    </Dialog>
  )
}
