import assert from 'node:assert/strict'
import { test } from 'node:test'
import { check } from './check.ts'
import { faithful } from './generate.ts'
import { fromLines, kinds, toLine } from './history.ts'
import { inject } from './inject.ts'

test('300 faithful histories: nothing is found', () => {
  for (let seed = 1; seed <= 300; seed++) {
    const { findings } = check(faithful(seed))
    assert.deepEqual(findings, [], `seed ${seed}`)
  }
})

for (const kind of kinds) {
  test(`${kind} is found in 100 of 100 histories`, () => {
    let injected = 0
    for (let seed = 1000; injected < 100; seed++) {
      assert.ok(seed < 1400, 'too few histories offer a place for this fault')
      const history = inject(kind, faithful(seed), seed)
      if (!history) continue
      injected += 1
      const { findings } = check(history)
      assert.ok(
        findings.some(f => f.kind === kind),
        `seed ${seed}: found only ${findings.map(f => f.kind).join(', ')}`,
      )
    }
  })
}

test('a history survives being written as lines', () => {
  const history = faithful(7)
  const text = `${history.map(toLine).join('\n')}\n`
  assert.deepEqual([...fromLines(text)], history)
  assert.throws(() => [...fromLines('{"t0":1}\n{"t0":')], /line 2/)
})

test('figures', () => {
  const verdict = check([
    { t0: 0, t1: 10, process: 'a', type: 'ok', f: 'send', ops: [{ f: 'send', key: 'k', value: 1, offset: 0 }] },
    { t0: 0, t1: 400, process: 'a', type: 'ok', f: 'send', ops: [{ f: 'send', key: 'k', value: 2, offset: 1 }] },
    { t0: 0, t1: 450, process: 'a', type: 'info', f: 'send', ops: [{ f: 'send', key: 'k', value: 3 }] },
    { t0: 0, t1: 460, process: 'a', type: 'fail', f: 'send', ops: [{ f: 'send', key: 'k', value: 4 }] },
    { t0: 0, t1: 500, process: 'b', type: 'ok', f: 'poll', final: true, ops: [{ f: 'poll', reads: { k: [[0, 1], [1, 2], [2, 3]] } }] }, // biome-ignore format: a row
  ])
  assert.deepEqual(verdict, {
    ...{ findings: [], sent: 4, acknowledged: 2, failed: 1, unknown: 1, read: 3 },
    ...{ longestGap: 390, jumps: 0 },
  })
})

test('what a producer without idempotence may do is no finding', () => {
  const send = (value: number, offset: number) =>
    ({
      t0: 0,
      t1: 1,
      process: 'a',
      type: 'ok',
      f: 'send',
      loose: true,
      ops: [{ f: 'send', key: 'k', value, offset }],
    }) as const
  const reads = { k: [[0, 2], [1, 1], [2, 2]] } as const // biome-ignore format: a row
  const poll = { t0: 2, t1: 3, process: 'b', type: 'ok', f: 'poll', final: true, ops: [{ f: 'poll', reads }] } as const
  assert.deepEqual(check([send(1, 1), send(2, 0), poll]).findings, [])
})
