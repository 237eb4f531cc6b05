import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CommittedMetadata } from './committed.ts'
import type { MetadataRecord } from './records/records.ts'

const topic = (name: string, topicId: string): MetadataRecord => ({ type: 'TopicRecord', name, topicId })
const removal = (topicId: string): MetadataRecord => ({ type: 'RemoveTopicRecord', topicId })
const [first, second] = ['AAECAwQFBgcICQoLDA0ODw', 'EBAQEBAQEBAQEBAQEBAQEA']

test('a replay from the beginning of the log takes nothing back and tells nothing twice', () => {
  const metadata = new CommittedMetadata()
  const told: string[] = []
  const history = [topic('t', first!), removal(first!), topic('t', second!)]
  const replay = (records: readonly MetadataRecord[]): void => {
    metadata.load([], 0)
    for (const [i, record] of records.entries()) {
      metadata.commit([record], i + 1, 0)
      told.push([...metadata.state.topicsById.keys()].join())
    }
  }
  replay(history)
  metadata.subscribe({ load: () => told.push('load'), commit: (_, records) => told.push(`commit ${records.length}`) })
  told.length = 0

  replay([...history, topic('u', first!)])
  assert.deepEqual(told, [second, second, second, 'commit 1', `${second},${first}`])
})

test('a snapshot of what is known already changes nothing, a newer one everything', () => {
  const metadata = new CommittedMetadata()
  metadata.load([], 0)
  metadata.commit([topic('t', first!)], 1, 0)
  metadata.load([], 1)
  assert.deepEqual([...metadata.state.topics.keys()], ['t'])
  metadata.load([topic('u', second!)], 7)
  assert.deepEqual([...metadata.state.topics.keys()], ['u'])
})
