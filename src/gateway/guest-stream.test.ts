import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Guest } from '../broker/guest.ts'
import { GuestStream } from './guest-stream.ts'
import { Turns } from './turns.ts'

/** A connection of a client that does nothing but what `more` says. */
const guestWith = (more: Partial<Guest>): Guest =>
  ({
    local: { host: '127.0.0.1', port: 9092 },
    remote: { host: '127.0.0.1', port: 50_000 },
    onClose: () => {},
    onFinish: () => {},
    receive: () => {},
    pause: () => {},
    resume: () => {},
    end: () => {},
    destroy: () => {},
    ...more,
  }) as unknown as Guest

const worldAt = (mono: () => number) => ({ clock: { mono }, timers: { after: () => ({ cancel: () => {} }) } })

test('a client that takes nothing is seen to, one that takes something is not', async () => {
  let now = 1000
  const taken: (() => void)[] = []
  const guest = guestWith({ write: (_, sent) => void taken.push(sent!) })
  const world = worldAt(() => now)
  const stream = new GuestStream(guest, Buffer.alloc(0), world)
  assert.equal(stream.stalledMs(now), 0)
  stream.write('an answer')
  now += 500
  assert.equal(stream.stalledMs(now), 500)
  stream.write('another')
  taken.shift()!()
  await new Promise(resolve => setImmediate(resolve))
  // What comes next has waited for no time yet.
  assert.equal(stream.stalledMs(now), 0)
  now += 100
  assert.equal(stream.stalledMs(now), 100)
  taken.shift()!()
  assert.equal(stream.stalledMs(now), 0)
  stream.destroy()
})

test('behind the last answer what comes is taken and not kept', () => {
  const heard: { into: Parameters<Guest['receive']>[0] | null; resumed: number } = { into: null, resumed: 0 }
  const guest = guestWith({
    receive: into => {
      heard.into = into
    },
    resume: () => void heard.resumed++,
    write: (_, sent) => sent?.(),
  })
  const world = worldAt(() => 0)
  const stream = new GuestStream(guest, Buffer.alloc(0), world)
  heard.into!.data(1000)
  assert.equal(stream.readableLength, 1000)
  const before = heard.resumed
  stream.destroySoon()
  assert.equal(heard.resumed, before + 1)
  heard.into!.data(64 * 1024)
  assert.equal(stream.readableLength, 1000)
  stream.destroy()
})

/** Connections that share a turn of so many bytes. */
function sharing(most: number) {
  const soon: (() => void)[] = []
  const reads = new Turns({ soon: run => void soon.push(run) }, most)
  const open = () => {
    const state = { into: null as Parameters<Guest['receive']>[0] | null, paused: false }
    const guest = guestWith({
      receive: into => {
        state.into = into
      },
      pause: () => {
        state.paused = true
      },
      resume: () => {
        state.paused = false
      },
    })
    const world = worldAt(() => 0)
    const stream = new GuestStream(guest, Buffer.alloc(0), world, null, reads)
    stream.on('data', () => {})
    return { state, stream }
  }
  return { soon, open }
}

test('large reads of all connections share a turn; small ones are never held up', () => {
  const { soon, open } = sharing(100_000)
  const [one, other] = [open(), open()]
  one.state.into!.data(50_000)
  assert.equal(one.state.paused, false)
  other.state.into!.data(50_000)
  assert.equal(other.state.paused, true)
  one.state.into!.data(1000)
  assert.equal(one.state.paused, false)
  for (const run of soon.splice(0)) run()
  assert.equal(other.state.paused, false)
  for (const { stream } of [one, other]) stream.destroy()
})

test('of many connections with large bodies no more read in a turn than there is room for', async () => {
  const { soon, open } = sharing(200_000)
  const all = Array.from({ length: 20 }, open)
  // They begin to flow.
  await new Promise(resolve => setImmediate(resolve))
  const readAll = () => {
    let bytes = 0
    // Until it is held up, the system hands on what is there.
    for (const { state } of all) for (; !state.paused; bytes += 65_536) state.into!.data(65_536)
    return bytes
  }
  readAll()
  for (let turn = 0; turn < 10; turn++) {
    for (const run of soon.splice(0)) run()
    const bytes = readAll()
    assert.ok(bytes > 200_000 - 65_536 && bytes <= 200_000 + 65_536, `${bytes}`)
  }
  for (const { stream } of all) stream.destroy()
})
