import assert from 'node:assert/strict'
import { test } from 'node:test'
import { labelled, Sums } from './limits.ts'

const names = (count: number, weight = 1) => Array.from({ length: count }, (_, i) => [`t${i}`, weight] as const)

test('the first names have labels of their own, up to the limit', () => {
  assert.deepEqual([...labelled(names(3), 3, 100)], ['t0', 't1', 't2'])
  assert.deepEqual([...labelled(names(4), 3, 100)], ['t0', 't1', 't2'])
  assert.deepEqual([...labelled(names(4), 0, 100)], [])
})

test('what is too heavy shares the common label, what comes behind it may fit', () => {
  const topics = [['a', 5], ['b', 6], ['c', 5], ['d', 1]] as const // biome-ignore format: pairs
  assert.deepEqual([...labelled(topics, 10, 10)], ['a', 'c'])
})

test('what is called other is one of the others', () => {
  assert.deepEqual([...labelled([['other', 1], ['a', 1]] as const, 10, 10)], ['a']) // biome-ignore format: pairs
})

test('sums keep apart what has a label', () => {
  const sums = new Sums(new Set(['a']))
  for (const [name, value] of [['a', 1], ['b', 2], ['a', 3], ['other', 4]] as const) sums.add(name, value) // biome-ignore format: pairs
  assert.deepEqual([...sums.entries()], [['a', 4], ['other', 6]]) // biome-ignore format: pairs
})
