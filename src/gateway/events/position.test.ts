import assert from 'node:assert/strict'
import { test } from 'node:test'
import { longestId, parseGroupPosition, parsePosition, showGroupPosition, showPosition, topicTag } from './position.ts'

test('a position is what it was', () => {
  for (const offsets of [[0], [15, 0, 7], [Number.MAX_SAFE_INTEGER], new Array(1000).fill(12)])
    assert.deepEqual(parsePosition(showPosition(offsets, 'k3F_')), { offsets, tag: 'k3F_' })
  assert.equal(showPosition([15, 0, 7], topicTag('k3F-xxxxxxxxxxxxxxxxxx')), '15,0,7@k3F-')
  assert.deepEqual(parsePosition('15,0'), { offsets: [15, 0], tag: null })
})

test('what is no position is refused', () => {
  const wrong = [
    '',
    ',',
    '1,',
    ',1',
    '1,,2',
    '-1',
    '1.5',
    '1e3',
    ' 1',
    '01',
    '0x1',
    '9007199254740992',
    'a',
    '1;2;m',
    '1@',
    '1@abc',
    '1@abcde',
    '@abcd',
  ]
  for (const text of wrong) assert.equal(parsePosition(text), null, text)
})

test('an id that is too long is refused unread', () => {
  const most = '1,'.repeat(longestId / 2 - 1)
  assert.notEqual(parsePosition(`${most}12`), null)
  assert.equal(parsePosition(`${most}123`), null)
})

test('a position of a group names partitions, generation and member', () => {
  const position = { offsets: new Map([[2, 7], [0, 15]]), generationId: 3, memberId: 'ottla-5e' } // biome-ignore format: pairs
  assert.equal(showGroupPosition(position), '0:15,2:7;3;ottla-5e')
  assert.deepEqual(parseGroupPosition('0:15,2:7;3;ottla-5e'), { ...position, offsets: new Map([[0, 15], [2, 7]]) }) // biome-ignore format: pairs
  assert.deepEqual(parseGroupPosition(';1;m')?.offsets, new Map())
})

test('what is no position of a group is refused', () => {
  const wrong = ['', '15,0,7', '0:1', '0:1;3', '0:1;3;', '0:1;;m', '0:1,0:2;3;m', '0:1:2;3;m', ':1;3;m', '0:;3;m']
  for (const text of [...wrong, '0:1;2147483648;m', '0:1;-1;m', '0:1;3;m m', '0:01;3;m', ',;1;m'])
    assert.equal(parseGroupPosition(text), null, text)
})
