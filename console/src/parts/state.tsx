import type { ComponentChildren } from 'preact'
import type { Live } from '../live.ts'

/** Waits for what a page is about; says what went wrong, and goes on showing what it had. */
export function Loaded<T>({ live, children }: { live: Live<T>; children: (data: T) => ComponentChildren }) {
  if (live.data === null)
    return live.error === null ? <p class="empty">…</p> : <p class="problem">{live.error.message}</p>
  return (
    <>
      {live.error !== null && <p class="problem">{live.error.message}: what follows is as it was before</p>}
      {children(live.data)}
    </>
  )
}

const good = new Set(['Stable', 'serving', 'healthy', 'CompletingRebalance', 'PreparingRebalance'])
const bad = new Set(['gone', 'down', 'Dead', 'leaderless'])

export function Badge({ state }: { state: string }) {
  return <span class={`badge ${good.has(state) ? 'good' : bad.has(state) ? 'bad' : ''}`}>{state}</span>
}

export function Card({
  title,
  value,
  note,
  bad = false,
}: {
  title: string
  value: string
  note?: string
  bad?: boolean
}) {
  return (
    <div class={`card ${bad ? 'bad' : ''}`}>
      <span>{title}</span>
      <strong>{value}</strong>
      {note !== undefined && <small>{note}</small>}
    </div>
  )
}
