import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Agenda, type Entry } from './agenda.test.kit.ts'
import { dice } from './testing.ts'

test('what was pushed comes out by time, then by order, whatever is pushed and dropped meanwhile', () => {
  const random = dice(1)
  const agenda = new Agenda<Entry>()
  let waiting: Entry[] = []
  for (let order = 0; order < 2000; order++) {
    const entry = { at: random.int(50), order }
    agenda.push(entry)
    waiting.push(entry)
    if (random.int(2) === 0) {
      waiting.sort((a, b) => a.at - b.at || a.order - b.order)
      assert.equal(agenda.next, waiting[0])
      assert.equal(agenda.pop(), waiting.shift())
    }
    if (random.int(200) === 0) {
      const gone = random.int(50)
      agenda.keep(({ at }) => at !== gone)
      waiting = waiting.filter(({ at }) => at !== gone)
    }
    assert.equal(agenda.length, waiting.length)
  }
  waiting.sort((a, b) => a.at - b.at || a.order - b.order)
  for (const entry of waiting) assert.equal(agenda.pop(), entry)
  assert.equal(agenda.pop(), undefined)
})
