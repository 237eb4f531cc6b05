import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { MetadataRecord } from '../../records/records.ts'
import type { MetadataBatch } from '../batches.ts'
import { Replay } from './replay.ts'

const record = (name: string): MetadataRecord => ({ type: 'NoOpRecord', name }) as never
const settle = () => new Promise(resolve => setImmediate(resolve))

/** A replay of a log with one record at each offset below `end`, whose reads end when the test says so. */
function scene(end: number) {
  const heard: string[] = []
  const failures: Error[] = []
  const reads: { resolve(): void; reject(error: Error): void }[] = []
  const batch = (offset: number): MetadataBatch => ({
    baseOffset: offset,
    endOffset: offset + 1,
    leaderEpoch: 1,
    timestamp: 1,
    control: [],
    records: [record(`r${offset}`)],
  })
  const replay = new Replay({
    log: {
      endOffset: end,
      loadSnapshot: async () => null,
      async *batches(from: number, upTo: number) {
        for (let offset = from; offset < upTo; offset++) {
          await new Promise<void>((resolve, reject) => reads.push({ resolve, reject }))
          yield batch(offset)
        }
      },
    },
    listener: () => ({
      load: (snapshot, offset) => void heard.splice(0, heard.length, ...[...snapshot].map(show), `upTo${offset}`),
      commit: records => void heard.push(...[...records].map(show)),
      lead() {},
    }),
    follow() {},
    failed: error => failures.push(error),
  })
  for (let offset = 0; offset < end; offset++) replay.add({ ...batch(offset), end: offset + 1, own: false })
  replay.commit(end)
  return { replay, heard, failures, reads }
}

/** One record is read again, and the next one under way, when a snapshot begins to take the place of the log. */
async function replaced() {
  const { replay, ...rest } = scene(3)
  replay.reload()
  await settle()
  rest.reads[0]!.resolve()
  await settle()
  replay.replacing()
  return { replay, ...rest }
}

const show = (of: MetadataRecord): string => (of as unknown as { name: string }).name

describe('what a listener that has forgotten everything is given', () => {
  it('is the whole log again', async () => {
    const { replay, heard, reads } = scene(3)
    replay.reload()
    for (let round = 0; round < 3; round++) {
      await settle()
      reads[round]!.resolve()
    }
    await settle()
    assert.deepEqual(heard, ['upTo0', 'r0', 'r1', 'r2'])
    assert.equal(replay.given, 3)
  })

  for (const [what, ends] of [
    ['fails', 'reject'],
    ['still succeeds', 'resolve'],
  ] as const) {
    it(`is the snapshot alone that takes the place of the log, when reading that ${what}`, async () => {
      const { replay, heard, reads, failures } = await replaced()
      reads[1]![ends](new Error('the log begins at 100'))
      await settle()
      assert.equal(replay.isCurrent, false)
      replay.drop(0)
      replay.load([record('all')], 100, 1)
      await settle()
      assert.deepEqual([heard, failures, replay.given, replay.isCurrent], [['all', 'upTo100'], [], 100, true])
    })
  }

  it('is the log after all when the snapshot could not be kept', async () => {
    const { replay, heard, reads, failures } = await replaced()
    reads[1]!.reject(new Error('gone for a moment'))
    await settle()
    replay.notReplaced()
    for (let round = 2; round < 5; round++) {
      await settle()
      reads[round]!.resolve()
    }
    await settle()
    assert.deepEqual([heard, failures, replay.given], [['upTo0', 'r0', 'r1', 'r2'], [], 3])
  })

  it('tells of a log that cannot be read', async () => {
    const { replay, reads, failures } = scene(3)
    replay.reload()
    await settle()
    reads[0]!.reject(new Error('rotten'))
    await settle()
    assert.deepEqual(failures.map(String), ['Error: rotten'])
  })
})
