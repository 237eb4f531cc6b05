import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readProperties } from './properties.ts'

const pairs = (text: string) => readProperties(text).map(({ key, value }) => [key, value])

const CASES: [string, [string, string][]][] = [
  [
    'a=1\nb: 2\nc 3\n  d  =  4 5 \n',
    [
      ['a', '1'],
      ['b', '2'],
      ['c', '3'],
      ['d', '4 5 '],
    ],
  ],
  ['# a=1\n! b=2\n\n   # c=3\r\nd=4\r\n', [['d', '4']]],
  [
    'a=1,\\\n    2,\\\n    3\nb=4',
    [
      ['a', '1,2,3'],
      ['b', '4'],
    ],
  ],
  [
    'a=1\\\\\nb=2',
    [
      ['a', '1\\'],
      ['b', '2'],
    ],
  ],
  ['a\\=b=c', [['a=b', 'c']]],
  ['a\\ b c', [['a b', 'c']]],
  ['tab=\\t\\n\\u0041\\x', [['tab', '\t\nAx']]],
  ['listeners=PLAINTEXT://:9092,CONTROLLER://:9093', [['listeners', 'PLAINTEXT://:9092,CONTROLLER://:9093']]],
  [
    'empty=\nalone\n',
    [
      ['empty', ''],
      ['alone', ''],
    ],
  ],
  ['a==b', [['a', '=b']]],
  ['\uFEFFa=1', [['a', '1']]],
  ['a=1\\', [['a', '1']]],
]

for (const [text, expected] of CASES) {
  test(`properties ${JSON.stringify(text)}`, () => assert.deepEqual(pairs(text), expected))
}

test('lines are counted where a property begins', () => {
  assert.deepEqual(
    readProperties('# x\na=1,\\\n2\n\nb=3').map(({ key, line }) => [key, line]),
    [
      ['a', 2],
      ['b', 5],
    ],
  )
})
