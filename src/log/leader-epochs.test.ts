import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LeaderEpochs } from './leader-epochs.ts'

function epochsOf(...entries: [number, number][]): LeaderEpochs {
  const epochs = new LeaderEpochs()
  for (const [epoch, start] of entries) epochs.assign(epoch, start)
  return epochs
}

test('an epoch begins once; what contradicts a newer entry is forgotten', () => {
  const epochs = epochsOf([0, 0], [2, 10])
  assert.equal(epochs.assign(2, 10), false)
  assert.equal(epochs.assign(2, 15), false)
  assert.equal(epochs.assign(3, 20), true)
  assert.deepEqual(epochs.entries(), [
    [0, 0],
    [2, 10],
    [3, 20],
  ])
  assert.equal(epochs.assign(4, 20), true, 'an epoch that wrote nothing gives way')
  assert.deepEqual(epochs.entries(), [
    [0, 0],
    [2, 10],
    [4, 20],
  ])
  assert.equal(epochs.assign(3, 5), true, 'after an unclean truncation')
  assert.deepEqual(epochs.entries(), [
    [0, 0],
    [3, 5],
  ])
})

test('the end of an epoch (KIP-101, KIP-279)', () => {
  const epochs = epochsOf([2, 10], [4, 20], [7, 30])
  const cases: [asked: number, epoch: number, endOffset: number][] = [
    [-1, -1, -1],
    [0, 0, 10],
    [1, 1, 10],
    [2, 2, 20],
    [3, 2, 20],
    [4, 4, 30],
    [6, 4, 30],
    [7, 7, 35],
    [8, -1, -1],
  ]
  for (const [asked, epoch, endOffset] of cases)
    assert.deepEqual(epochs.endOffsetFor(asked, 35), { epoch, endOffset }, `epoch ${asked}`)
  assert.deepEqual(new LeaderEpochs().endOffsetFor(0, 0), { epoch: -1, endOffset: -1 })
})

test('the epoch of an offset', () => {
  const epochs = epochsOf([2, 10], [4, 20])
  assert.deepEqual(
    [9, 10, 19, 20, 99].map(offset => epochs.epochFor(offset)),
    [-1, 2, 2, 4, 4],
  )
})

test('truncation at both ends', () => {
  const epochs = epochsOf([0, 0], [1, 10], [2, 20])
  assert.equal(epochs.truncateFromEnd(21), false)
  assert.equal(epochs.truncateFromEnd(20), true)
  assert.equal(epochs.latestEpoch, 1)
  assert.equal(epochs.truncateFromStart(5), true)
  assert.deepEqual(epochs.entries(), [
    [0, 5],
    [1, 10],
  ])
  assert.equal(epochs.truncateFromStart(5), false)
  assert.equal(epochs.truncateFromStart(10), true)
  assert.deepEqual(epochs.entries(), [[1, 10]])
  assert.equal(epochs.truncateFromStart(9), false, 'an epoch does not begin before its first record')
})

test("Kafka's text, and what is none", () => {
  const epochs = epochsOf([0, 0], [3, 1000])
  assert.equal(epochs.toText(), '0\n2\n0 0\n3 1000\n')
  assert.deepEqual(LeaderEpochs.fromText(epochs.toText())?.entries(), epochs.entries())
  assert.deepEqual(LeaderEpochs.fromText('0\n0\n')?.entries(), [])
  for (const text of ['', '0', '1\n0\n', '0\n2\n0 0\n', '0\n1\n0 x\n', '0\n1\n0 0', '0\n2\n3 0\n1 5\n', '0\n1\n-1 0\n'])
    assert.equal(LeaderEpochs.fromText(text), null, JSON.stringify(text))
})
