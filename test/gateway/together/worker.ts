// A worker of a lease group, as a process of its own that may be killed at any time. It tells on its standard output what it
// does, before and after it does it: worker.js NAME DOOR ADDRESS TOPIC GROUP LEASE_MS [dawdles].
import { setTimeout as sleep } from 'node:timers/promises'
import type { Event } from './history.ts'
import { isHopeless } from './plan.ts'

const [name = '', door = '', address = '', topic = '', group = '', leaseText = '', manner] = process.argv.slice(2)
const leaseMs = Number(leaseText)
/** Records that it has at a time, and ms that one takes. */
const atOnce = 4
const workMs = 25
/** One that dawdles does so with one of this many records. */
const dawdlesEvery = 20
/** ms for which a record may have been on its way. */
const transitMs = 1000

let stopping = false
let worked = 0
process.on('SIGTERM', () => {
  stopping = true
})

/** The same for all processes of a machine. */
const now = (): number => Number(process.hrtime.bigint() / 1000n) / 1000
type Told<E> = E extends unknown ? Omit<E, 'worker' | 'at'> & { readonly at?: number } : never
const tell = (event: Told<Event>): void => {
  process.stdout.write(`${JSON.stringify({ worker: name, at: now(), ...event })}\n`)
}

async function work(record: number): Promise<'ack' | 'reject'> {
  worked++
  await sleep(manner === 'dawdles' && worked % dawdlesEvery === 0 ? leaseMs + 300 : workMs)
  return isHopeless(record) ? 'reject' : 'ack'
}

async function post(path: string) {
  const answer = await fetch(`http://${address}/topics/${topic}/${path}`, { method: 'POST' })
  const json = (await answer.json()) as { records: { value: number; leaseId: string }[]; detail?: string }
  if (answer.status !== 200 && answer.status !== 409) throw new Error(`${answer.status} ${json.detail}`)
  return { done: answer.status === 200, json }
}

async function overHttp(): Promise<void> {
  while (!stopping) {
    const until = now() + leaseMs
    const { json } = await post(`pull?group=${group}&max=${atOnce}&waitMs=500&leaseMs=${leaseMs}`)
    for (const { value: record } of json.records) tell({ event: 'took', door: 'http', record, until })
    for (const { value: record, leaseId } of json.records) {
      const what = await work(record)
      tell({ event: 'gives', record, what })
      const { done } = await post(`leases/${leaseId}/${what}`)
      tell({ event: 'given', record, what, done })
    }
  }
}

async function overGrpc(): Promise<void> {
  const { GrpcClient } = await import('../grpc-kit.ts')
  const client = new GrpcClient(address, 'ottla.v1.Leases')
  const call = client.duplex('Work')()
  const leased = new Map<string, { record: number; what: 'ack' | 'reject' }>()
  const queue: { record: number; lease: string }[] = []
  let wake = () => {}
  call.on('data', answer => {
    const until = now() + leaseMs - transitMs
    for (const { lease, record: stored } of answer.records) {
      const record = Number(Buffer.from(stored.value).toString())
      tell({ event: 'took', door: 'grpc', record, until })
      queue.push({ record, lease })
    }
    for (const { lease, done } of answer.settled) {
      tell({ event: 'given', ...leased.get(lease)!, done })
      leased.delete(lease)
    }
    wake()
  })
  const ended = new Promise<void>((resolve, reject) => {
    call.on('end', resolve)
    call.on('error', reject)
  })
  call.write({ open: { topic, group, credits: atOnce, leaseMs } })
  while (!stopping || queue.length > 0 || leased.size > 0) {
    const next = queue.shift()
    if (next === undefined) {
      const news = new Promise<void>(resolve => {
        wake = resolve
      })
      await Promise.race([news, sleep(100)])
      continue
    }
    const { record, lease } = next
    const what = await work(record)
    leased.set(lease, { record, what })
    tell({ event: 'gives', record, what })
    call.write({ settlements: [{ lease, outcome: what === 'ack' ? 'OUTCOME_ACK' : 'OUTCOME_REJECT' }] })
  }
  call.end()
  await ended
  client.close()
}

await (door === 'grpc' ? overGrpc() : overHttp())
