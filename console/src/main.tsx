import { render } from 'preact'
import { useState } from 'preact/hooks'
import type { Cluster } from './api.ts'
import { keys, useKeyboard } from './keyboard.ts'
import { useLive } from './live.ts'
import { Dialog } from './parts/dialog.tsx'
import { Badge } from './parts/state.tsx'
import { Toasts } from './parts/toast.tsx'
import { link, useRoute } from './route.ts'
import { GroupPage } from './views/group.tsx'
import { Groups } from './views/groups.tsx'
import { Nodes } from './views/nodes.tsx'
import { Overview } from './views/overview.tsx'
import { TopicPage } from './views/topic.tsx'
import { Topics } from './views/topics.tsx'
import { WorkersPage } from './views/workers.tsx'
import './style.css'

const places: readonly [name: string, title: string][] = [
  ['', 'Overview'],
  ['topics', 'Topics'],
  ['groups', 'Groups'],
  ['nodes', 'Nodes'],
]

const known = [...places.map(([key]) => key), 'workers']

const modes = ['auto', 'light', 'dark'] as const

function Console() {
  const [place = '', name, part] = useRoute()
  const cluster = useLive<Cluster>('/cluster', 4000)
  const [helps, setHelps] = useState(false)
  const [mode, setMode] = useState(localStorage.getItem('mode') ?? 'auto')
  document.documentElement.dataset.mode = mode
  const turn = () => {
    const next = modes[(modes.indexOf(mode as (typeof modes)[number]) + 1) % modes.length] as string
    localStorage.setItem('mode', next)
    setMode(next)
  }
  useKeyboard({ '?': () => setHelps(true), t: turn, r: cluster.reload })
  return (
    <>
      <nav aria-label="Places">
        <a class="brand" href={link()}>
          <img src="/console/icon.svg" alt="" width="24" height="24" /> ottla
        </a>
        {places.map(([key, title]) => (
          <a
            key={key}
            href={link(...(key === '' ? [] : [key]))}
            aria-current={key === (place === 'workers' ? 'groups' : place) ? 'page' : undefined}
          >
            {title}
          </a>
        ))}
        <div class="foot">
          <Health cluster={cluster.data} failed={cluster.error !== null} />
          <button type="button" class="quiet" onClick={turn} title="Dark, light, or as the system (t)">
            {mode}
          </button>
          <button type="button" class="quiet" onClick={() => setHelps(true)} title="Keys (?)">
            ?
          </button>
        </div>
      </nav>
      <main>
        {place === '' && <Overview cluster={cluster} />}
        {place === 'topics' && (name === undefined ? <Topics /> : <TopicPage key={name} name={name} part={part} />)}
        {place === 'groups' && (name === undefined ? <Groups /> : <GroupPage key={name} name={name} />)}
        {place === 'workers' && (name === undefined ? <Groups /> : <WorkersPage key={name} name={name} />)}
        {place === 'nodes' && <Nodes />}
        {!known.includes(place) && (
          <p class="empty">
            There is no such page. <a href={link()}>Overview</a>
          </p>
        )}
      </main>
      {helps && (
        <Dialog title="Keys" close={() => setHelps(false)}>
          <dl class="keys">
            {keys.map(([key, does]) => (
              <div key={key}>
                <dt>
                  {key.split(' ').map(each => (
                    <kbd key={each}>{each}</kbd>
                  ))}
                </dt>
                <dd>{does}</dd>
              </div>
            ))}
          </dl>
          <p>
            Everything here is also to be had by <a href="/openapi.json">the HTTP interface</a>.
          </p>
        </Dialog>
      )}
      <Toasts />
    </>
  )
}

function Health({ cluster, failed }: { cluster: Cluster | null; failed: boolean }) {
  if (failed) return <Badge state="down" />
  if (cluster === null) return null
  if (cluster.leaderless > 0) return <Badge state="leaderless" />
  return <Badge state={cluster.underReplicated > 0 ? 'copies are missing' : 'healthy'} />
}

render(<Console />, document.getElementById('app') as HTMLElement)
