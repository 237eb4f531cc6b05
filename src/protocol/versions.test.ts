import assert from 'node:assert/strict'
import test from 'node:test'
import type { Versions } from './versions.ts'
import { includes, parseVersions } from './versions.ts'

test('version ranges', () => {
  const table: [Versions | 'none', number[]][] = [
    ['0+', [0, 1, 2, 3, 4]],
    ['2-3', [2, 3]],
    ['2', [2]],
    ['3+', [3, 4]],
    ['none', []],
  ]
  for (const [text, expected] of table) {
    assert.deepEqual(
      [0, 1, 2, 3, 4].filter(version => includes(parseVersions(text), version)),
      expected,
      text,
    )
  }
  // @ts-expect-error: not a range
  assert.throws(() => parseVersions('new'), /not a version range/)
})
