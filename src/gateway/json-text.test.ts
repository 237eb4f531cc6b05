import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isJsonText } from './json-text.ts'

function parses(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

test('what JSON.parse takes, and nothing else', () => {
  for (const text of [
    '',
    ' ',
    '1',
    '-0.5e+10',
    '01',
    '+1',
    '.5',
    '1.',
    '1e',
    'NaN',
    'nul',
    'null',
    ' true ',
    '"a"',
    '"a',
    '"\\u12g4"',
    '"\\u1234\\n\\/"',
    '"\\x"',
    '"\n"',
    '"\u2028"',
    '[]',
    '[ ]',
    '{}',
    '{ }',
    '[1,]',
    '[,1]',
    '[1 2]',
    '[1,[2,{"a":[]}],"b"]',
    '{"a":1,"a":2}',
    '{"a":1,}',
    '{a:1}',
    '{"a"}',
    '{"a":}',
    '{"a" : 1 , "b" : [ ] }',
    '[}',
    '{]',
    '[[]',
    '[]]',
    '1 2',
    '\u00a01',
    '\ufeff1',
    '1,2',
    '{"a":1]',
    '[{"a":1}',
  ])
    assert.equal(isJsonText(text), parses(text), JSON.stringify(text))
})

test('the same for JSON in which letters were changed', () => {
  const letters = '[]{}:,"\\ 0-1.eE+tnu/\n'
  fc.assert(
    fc.property(fc.json(), fc.nat(), fc.nat(letters.length - 1), fc.boolean(), (json, place, letter, replace) => {
      assert.equal(isJsonText(json), true)
      const at = place % (json.length + 1)
      const changed = json.slice(0, at) + letters[letter] + json.slice(replace ? at + 1 : at)
      assert.equal(isJsonText(changed), parses(changed), changed)
    }),
    { numRuns: 2000, seed: 1 },
  )
})

test('a hundred thousand brackets are no deeper than others', () => {
  const deep = '['.repeat(100_000)
  assert.equal(isJsonText(`${deep}${']'.repeat(100_000)}`), true)
  assert.equal(isJsonText(deep), false)
})
