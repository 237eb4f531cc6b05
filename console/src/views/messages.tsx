import { useEffect, useRef, useState } from 'preact/hooks'
import { type StoredRecord, send, type Topic, topicPath } from '../api.ts'
import { Dialog } from '../parts/dialog.tsx'
import { count, textOf, time } from '../show.ts'
import { Compose } from './compose.tsx'
import { RecordView } from './record.tsx'

/** Messages that are kept on the page. */
const most = 500

type Mode = 'newest' | 'oldest' | 'live'

interface Progress {
  scanned: number
  total: number
  found: number
}

interface Wanted {
  key: string
  value: string
  header: string
  path: string
  from: string
  to: string
}

const nothing: Wanted = { key: '', value: '', header: '', path: '', from: '', to: '' }

/** The messages of a topic: the newest, the oldest, what is looked for, or what comes. */
export function Messages({ topic, changed }: { topic: Topic; changed: () => void }) {
  const [mode, setMode] = useState<Mode>('newest')
  const [wanted, setWanted] = useState<Wanted>(nothing)
  const [advanced, setAdvanced] = useState(false)
  const [asked, setAsked] = useState(0)
  const [records, setRecords] = useState<StoredRecord[]>([])
  const [progress, setProgress] = useState<(Progress & { done: boolean }) | null>(null)
  const [problem, setProblem] = useState<string | null>(null)
  const [composes, setComposes] = useState<StoredRecord | 'new' | null>(null)
  const latest = useRef(wanted)
  latest.current = wanted
  const { name } = topic

  // When somebody asks, not with each letter.
  useEffect(() => {
    setRecords([])
    setProgress(null)
    setProblem(null)
    if (mode === 'live') return follow(name, wanted, add => setRecords(before => [...add, ...before].slice(0, most)))
    const aborter = new AbortController()
    const add = (more: StoredRecord[]) => setRecords(before => [...before, ...more].slice(0, most))
    search(name, latest.current, mode, aborter.signal, add, setProgress).catch(error => {
      if (!aborter.signal.aborted) setProblem((error as Error).message)
    })
    return () => aborter.abort()
  }, [name, mode, asked])

  const set = (key: keyof Wanted) => (event: { currentTarget: HTMLInputElement }) =>
    setWanted({ ...wanted, [key]: event.currentTarget.value })
  const field = (key: keyof Wanted, label: string, placeholder: string) => (
    <label>
      {label}
      <input name={`find-${key}`} value={wanted[key]} placeholder={placeholder} onInput={set(key)} />
    </label>
  )
  const moment = (key: keyof Wanted, label: string) => (
    <label>
      {label}
      <input type="datetime-local" step="1" name={`find-${key}`} value={wanted[key]} onInput={set(key)} />
    </label>
  )
  return (
    <>
      <form
        class="search"
        onSubmit={event => {
          event.preventDefault()
          setAsked(asked + 1)
        }}
      >
        <div class="bar">
          <input
            type="search"
            name="find-value"
            placeholder="Search in values  /"
            aria-label="Search in values"
            data-key="/"
            value={wanted.value}
            onInput={set('value')}
          />
          <select
            aria-label="Which messages"
            name="mode"
            value={mode}
            onChange={event => setMode(event.currentTarget.value as Mode)}
          >
            <option value="newest">newest first</option>
            <option value="oldest">oldest first</option>
            <option value="live">live</option>
          </select>
          <button type="submit" data-key="r">
            Search
          </button>
          <button type="button" class="quiet" onClick={() => setAdvanced(!advanced)} aria-expanded={advanced}>
            more …
          </button>
          <button type="button" class="primary" data-key="n" onClick={() => setComposes('new')}>
            New message
          </button>
        </div>
        {advanced && (
          <div class="row">
            {field('key', 'Key contains', 'text')}
            {field('header', 'Header', 'name or name=text')}
            {field('path', 'JSON', 'customer.id=42')}
            {moment('from', 'From')}
            {moment('to', 'To')}
          </div>
        )}
      </form>
      {mode === 'live' && (
        <p class="status">Live: what is written from now on is shown here. {count(records.length)} so far.</p>
      )}
      {progress !== null && (
        <p class="status" role="status">
          {!progress.done && <progress max={Math.max(1, progress.total)} value={progress.scanned} />}{' '}
          {count(progress.found)} found, {count(progress.scanned)} of {count(progress.total)} looked at
          {progress.done && progress.scanned < progress.total && ': these are enough for a page'}
        </p>
      )}
      {problem !== null && <p class="problem">{problem}</p>}
      <ol class="messages">
        {records.map(record => (
          <Row key={`${record.partition} ${record.offset}`} record={record} again={() => setComposes(record)} />
        ))}
      </ol>
      {records.length === 0 && progress?.done && <p class="empty">There is no such message.</p>}
      {composes !== null && (
        <Dialog
          title={composes === 'new' ? `New message in ${name}` : 'Edit and send again'}
          close={() => setComposes(null)}
        >
          <Compose
            topic={name}
            {...(composes === 'new' ? {} : { like: composes })}
            sent={() => {
              setComposes(null)
              changed()
              if (mode !== 'live') setAsked(asked + 1)
            }}
          />
        </Dialog>
      )}
    </>
  )
}

function Row({ record, again }: { record: StoredRecord; again: () => void }) {
  const [open, setOpen] = useState(false)
  const { partition, offset, timestamp, key, value } = record
  return (
    <li>
      <button type="button" class="message" aria-expanded={open} onClick={() => setOpen(!open)}>
        <span class="when">{time(timestamp)}</span>
        <span class="where">
          {partition}:{offset}
        </span>
        <span class="key">{key === null ? '' : textOf(key)}</span>
        <span class="value">{value === null ? <i>null</i> : textOf(value).slice(0, 300)}</span>
      </button>
      {open && <RecordView record={record} again={again} />}
    </li>
  )
}

/** Asks the node to look through all partitions, and tells what it finds while it does. */
async function search(
  topic: string,
  { key, value, header, path, from, to }: Wanted,
  order: 'newest' | 'oldest',
  signal: AbortSignal,
  add: (records: StoredRecord[]) => void,
  tell: (progress: Progress & { done: boolean }) => void,
): Promise<void> {
  const query = new URLSearchParams({ order, limit: '100' })
  for (const [name, text] of Object.entries({ key, value, header, path })) if (text !== '') query.set(name, text)
  for (const [name, at] of Object.entries({ from, to })) if (at !== '') query.set(name, String(Date.parse(at)))
  const answer = await send(`${topicPath(topic)}/search?${query}`, { signal })
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ''
  for (;;) {
    const { value: text, done } = await reader.read()
    if (done) return
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    const found: StoredRecord[] = []
    for (const line of lines) {
      const said = JSON.parse(line) as {
        record?: StoredRecord
        progress?: Progress
        done?: Progress
        problem?: { detail: string }
      }
      if (said.record !== undefined) found.push(said.record)
      else if (said.problem !== undefined) throw new Error(said.problem.detail)
      else tell({ ...((said.progress ?? said.done) as Progress), done: said.done !== undefined })
    }
    if (found.length > 0) add(found)
  }
}

/** What is written from now on; the newest comes first. Many that come at once are shown at once. */
function follow(topic: string, { value }: Wanted, add: (records: StoredRecord[]) => void): () => void {
  const source = new EventSource(`${topicPath(topic)}/events?from=latest`)
  let waiting: StoredRecord[] = []
  const timer = setInterval(() => {
    if (waiting.length === 0) return
    add(waiting)
    waiting = []
  }, 100)
  source.onmessage = event => {
    const record = JSON.parse(event.data) as StoredRecord
    if (value !== '' && !textOf(record.value).toLowerCase().includes(value.toLowerCase())) return
    waiting = [record, ...waiting].slice(0, most)
  }
  return () => {
    source.close()
    clearInterval(timer)
  }
}
