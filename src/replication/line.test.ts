import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Line } from './line.ts'

function values<Value>(line: Line<Value>): Value[] {
  const all: Value[] = []
  line.each(value => all.push(value))
  return all
}

test('members are visited in the order in which they came', () => {
  const line = new Line<string>()
  for (const name of ['a', 'b', 'c']) line.add(name)
  assert.deepEqual(values(line), ['a', 'b', 'c'])
  assert.equal(line.size, 3)
})

for (const [gone, left] of [
  [0, ['b', 'c']],
  [1, ['a', 'c']],
  [2, ['a', 'b']],
] as const) {
  test(`member ${gone} of three leaves, twice if it likes`, () => {
    const line = new Line<string>()
    const places = ['a', 'b', 'c'].map(name => line.add(name))
    line.leave(places[gone]!)
    line.leave(places[gone]!)
    assert.deepEqual(values(line), left)
    assert.equal(line.size, 2)
    line.add('d')
    assert.deepEqual(values(line), [...left, 'd'])
  })
}

test('a member may leave while it is visited', () => {
  const line = new Line<number>()
  for (let i = 0; i < 5; i++) line.add(i)
  line.each((value, place) => {
    if (value % 2 === 0) line.leave(place)
  })
  assert.deepEqual(values(line), [1, 3])
})

test('a place that was left keeps nothing alive', () => {
  const line = new Line<string>()
  const place = line.add('a')
  line.add('b')
  line.clear()
  assert.deepEqual(place, { value: null, previous: null, next: null })
  assert.equal(line.size, 0)
})
