import assert from 'node:assert/strict'
import { test } from 'node:test'
import { headerFlag, jsonParser, plainText, textInputOf, textParser } from './input.ts'
import { pieces } from './lines.ts'

const text = (bytes: Uint8Array | null | undefined) =>
  bytes === null || bytes === undefined ? null : Buffer.from(bytes).toString()

async function cut(chunks: string[], delimiter = '\n'): Promise<string[]> {
  const found: string[] = []
  async function* stream() {
    for (const chunk of chunks) yield Buffer.from(chunk)
  }
  for await (const each of pieces(stream(), delimiter)) found.push(each.toString())
  return found
}

test('a stream is cut into messages wherever its chunks end', async () => {
  assert.deepEqual(await cut(['a\nb', 'c\n', '\nd']), ['a', 'bc', '', 'd'])
  assert.deepEqual(await cut(['a\r\nb\r', '\nc']), ['a', 'b', 'c'])
  assert.deepEqual(await cut([]), [])
  assert.deepEqual(await cut(['\n']), [''])
  assert.deepEqual(await cut(['a--b-', '-c-', 'd'], '--'), ['a', 'b', 'c-d'])
  assert.deepEqual(await cut(['grü', 'n;rot'], ';'), ['grün', 'rot'])
})

const parse = (properties: Record<string, string>, line: string, base = plainText) => {
  const draft = textParser(textInputOf(new Map(Object.entries(properties)), base))(Buffer.from(line), 3)!
  return [text(draft.key), text(draft.value), draft.headers.map(header => `${header.key}=${text(header.value)}`).join()]
}

test('lines as Kafka and kcat read them', () => {
  const keyed = { 'parse.key': 'true' }
  assert.deepEqual(parse({}, 'a\tb'), [null, 'a\tb', ''])
  assert.deepEqual(parse(keyed, 'a\tb\tc'), ['a', 'b\tc', ''])
  assert.deepEqual(parse({ ...keyed, 'key.separator': ':' }, 'a:b'), ['a', 'b', ''])
  assert.deepEqual(parse({ ...keyed, 'key.separator': '::' }, '::b'), ['', 'b', ''])
  assert.deepEqual(parse({ ...keyed, 'null.marker': 'NIL' }, 'NIL\tNIL'), [null, null, ''])
  assert.deepEqual(parse({ ...keyed, 'ignore.error': 'true' }, 'nokey'), [null, 'nokey', ''])
  assert.throws(() => parse(keyed, 'nokey'), /line 3: no key separator "\\t" in "nokey"/)
  assert.deepEqual(parse({ ...keyed, 'parse.headers': 'true' }, 'h1:v1,h2:v:2\tk\tv'), ['k', 'v', 'h1=v1,h2=v:2'])
  assert.deepEqual(parse({ 'parse.headers': 'true' }, '\tv'), [null, 'v', ''])
  assert.throws(() => parse({ 'parse.headers': 'true' }, 'h1\tv'), /line 3: no ":" in header "h1"/)
  assert.throws(() => parse({ 'parse.keys': 'true' }, 'x'), /unknown reader property parse.keys/)
  const kcat = { ...plainText, keySeparator: ':', emptyIsNull: true }
  assert.deepEqual(parse({}, 'value only', kcat), [null, 'value only', ''])
  assert.deepEqual(parse({}, 'k:', kcat), ['k', null, ''])
})

test('JSON lines, as we and kcat write them', () => {
  const json = (line: string) => {
    const draft = jsonParser(Buffer.from(line), 7)
    if (draft === null) return null
    const headers = draft.headers.map(header => `${header.key}=${text(header.value)}`).join()
    return [text(draft.key), text(draft.value), headers, draft.partition, draft.timestamp]
  }
  assert.deepEqual(json('{"value":"v"}'), [null, 'v', '', undefined, undefined])
  assert.deepEqual(json('{"key":"k","value":null,"partition":2,"timestamp":5}'), ['k', null, '', 2, 5])
  assert.deepEqual(json('{"value":{"a":[1]}}'), [null, '{"a":[1]}', '', undefined, undefined])
  assert.deepEqual(json('{"valueBase64":"YQ==","headers":{"x":"1"}}'), [null, 'a', 'x=1', undefined, undefined])
  assert.deepEqual(json('{"value":"v","headers":[{"key":"x","valueBase64":"YQ=="}]}')![2], 'x=a')
  assert.deepEqual(json('{"payload":"v","headers":["x","1","y",null]}')![2], 'x=1,y=null')
  assert.equal(json('  '), null)
  for (const [line, problem] of [
    ['{', /line 7 is not JSON/],
    ['[1]', /line 7: a JSON message is an object/],
    ['{"k":1}', /line 7: a JSON message needs a "value"/],
    ['{"payload":"v","headers":["x"]}', /header without a value/],
  ] as const) {
    assert.throws(() => json(line), problem)
  }
})

test('headers from flags', () => {
  assert.equal(text(headerFlag('a=b=c').value), 'b=c')
  assert.deepEqual(headerFlag('a'), { key: 'a', value: null })
})
