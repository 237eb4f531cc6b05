import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dice } from '../../../machine/testing.ts'
import { MemoryVolume } from '../../../store/memory.ts'
import { RecordEncoder } from '../batches.ts'
import { topics } from '../contract.ts'
import { VirtualProcesses } from '../processes.test.kit.ts'
import { encodeSnapshot } from '../snapshot.ts'
import { logStart } from './fenced-log.ts'
import { Queue } from './queue.ts'
import { Reader } from './reader.ts'
import { Memory } from './remembered.ts'
import { TestStore } from './testing.ts'

const clusterId = 'AAAAAAAAAAAAAAAAAAAACQ'

const virtual = new VirtualProcesses()
const { time } = virtual

/** Of `run`, in virtual time. */
function inTime(run: () => Promise<void>): () => Promise<void> {
  return async () => {
    let running = true
    const ended = run().finally(() => {
      running = false
    })
    while (running) await virtual.pass(1)
    await ended
  }
}

/** A log of eight records that one leader wrote, and snapshots of all that is below an offset. */
async function written() {
  const store = new TestStore({ clock: time, timers: time, random: dice(1) })
  const log = store.client(() => false)
  await log.create('log', clusterId)
  const leader = { id: 1, directoryId: 'AauM3WNygOvKsnjDZCnatA', endpoints: [] }
  const { token } = (await log.acquire({ logId: 'log', leader, nonce: 'a', former: [], leaseMs: 60_000 }))!
  const queue = new Queue(token.epoch, logStart)
  const encoder = new RecordEncoder()
  const names = Array.from({ length: 8 }, (_, index) => `t${index}`)
  for (const [index, name] of names.entries()) {
    queue.add(encoder.dataBatch(topics(name), 1, index, token.epoch), index + 1, topics(name), 1)
  }
  const waiting = queue.take()
  const entries = waiting.map(({ entry }) => entry)
  assert.equal(await log.append(token, logStart, 'one', entries, queue.end), 'ok')
  const positions = waiting.map(({ after }) => after)
  const keep = (below: number, startOffset: number) => {
    const content = { kraftVersion: 0, voters: [], timestamp: 1, records: topics(...names.slice(0, below)) }
    const id = { ...positions[below - 1]!, epoch: token.epoch }
    return log.putSnapshot(token, id, encodeSnapshot(content, token.epoch, 1), startOffset)
  }
  return { store, log, token, positions, names, keep }
}

test(
  'a log that is cut at its beginning while it is looked at is whole',
  inTime(async () => {
    const { log, positions, names, keep } = await written()
    const memory = new Memory(new MemoryVolume(time))
    await memory.note({ logId: 'log', epoch: 1, position: positions[2]! })
    let looks = 0
    const look = log.look.bind(log)
    log.look = async after => {
      if (++looks === 2)
        for (const [below, start] of [
          [4, 0],
          [6, 4],
        ] as const)
          await keep(below, start)
      return look(after)
    }
    const fail = (error: Error) => assert.fail(error)
    const reader = new Reader({ log, memory, random: dice(2), clusterId, create: false, accept: null, notNoted: fail })
    const seen: string[] = []
    const namesOf = (records: Iterable<object>) => [...records].map(record => (record as { name: string }).name)
    reader.follow({
      load: records => void seen.splice(0, seen.length, ...namesOf(records)),
      commit: records => void seen.push(...namesOf(records)),
      lead() {},
    })
    await reader.catchUp()
    assert.ok(looks > 2)
    assert.deepEqual(seen, names)
  }),
)
