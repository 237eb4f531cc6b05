import { useState } from 'preact/hooks'
import { ask, type Topic, topicPath } from '../api.ts'
import { useLive, useRate, useSeries } from '../live.ts'
import { DeleteDialog } from '../parts/dialog.tsx'
import { Head } from '../parts/head.tsx'
import { Plot } from '../parts/plot.tsx'
import { Loaded } from '../parts/state.tsx'
import { go, link } from '../route.ts'
import { brief, count } from '../show.ts'
import { Messages } from './messages.tsx'
import { Partitions } from './partitions.tsx'
import { Settings } from './settings.tsx'

const parts: readonly [key: string, title: string][] = [
  ['messages', 'Messages'],
  ['partitions', 'Partitions'],
  ['settings', 'Settings'],
]

export function TopicPage({ name, part = 'messages' }: { name: string; part: string | undefined }) {
  const live = useLive<Topic>(topicPath(name))
  const [deletes, setDeletes] = useState(false)
  const ends = live.data?.partitions.map(({ end }) => end ?? 0)
  const starts = live.data?.partitions.map(({ start }) => start ?? 0)
  const end = ends === undefined ? null : sum(ends)
  const rate = useRate(end, live.data)
  const series = useSeries(rate, live.data)
  return (
    <>
      <Head among="Topics" place="topics" name={name} remove={() => setDeletes(true)} />
      <Loaded live={live}>
        {topic => (
          <>
            <div class="about">
              <p>
                about <strong>{count(end === null ? null : end - sum(starts ?? []))}</strong> messages in{' '}
                {count(topic.partitions.length)} {topic.partitions.length === 1 ? 'partition' : 'partitions'}
              </p>
              <Plot title="Messages / s" series={series} show={brief} />
            </div>
            <div class="tabs" role="tablist">
              {parts.map(([key, title]) => (
                <a key={key} role="tab" aria-selected={key === part} href={link('topics', name, key)}>
                  {title}
                </a>
              ))}
            </div>
            {part === 'messages' && <Messages topic={topic} changed={live.reload} />}
            {part === 'partitions' && <Partitions topic={topic} changed={live.reload} />}
            {part === 'settings' && <Settings path={`${topicPath(name)}/configs`} />}
          </>
        )}
      </Loaded>
      {deletes && (
        <DeleteDialog
          what="topic"
          name={name}
          warning="All its messages are lost, on all nodes and at once. There is no way back."
          close={() => setDeletes(false)}
          run={async () => {
            await ask(topicPath(name), { method: 'DELETE' })
            go('topics')
          }}
        />
      )}
    </>
  )
}

const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0)
