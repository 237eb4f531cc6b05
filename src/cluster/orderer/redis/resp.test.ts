import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { dice } from '../../../machine/testing.ts'
import { encodeCommand, RedisError, type Reply, ReplyReader } from './resp.ts'

const limits = { stringBytes: 1000, elements: 100 }

/** What is read when the text arrives in pieces of some bytes. */
function read(text: string, pieces: () => number = () => 1e6) {
  const got: { reply: Reply; push: boolean }[] = []
  const reader = new ReplyReader((reply, push) => got.push({ reply, push }), limits)
  const bytes = Buffer.from(text, 'latin1')
  for (let at = 0; at < bytes.length; ) {
    const space = reader.space()
    const count = Math.min(space.length, pieces(), bytes.length - at)
    space.set(bytes.subarray(at, at + count))
    reader.data(count)
    at += count
  }
  return got
}

const conversation =
  '+OK\r\n:-12\r\n$5\r\nhe\r\no\r\n$-1\r\n_\r\n*-1\r\n*3\r\n:1\r\n*0\r\n$0\r\n\r\n#t\r\n,1.5\r\n(123\r\n' +
  '-READONLY no\r\n!8\r\nERR a\r\nb\r\n=5\r\ntxt:a\r\n%1\r\n+a\r\n:1\r\n~1\r\n:7\r\n>2\r\n$7\r\nmessage\r\n+x\r\n+last\r\n'
const replies = [
  'OK',
  -12,
  Buffer.from('he\r\no'),
  null,
  null,
  null,
  [1, [], Buffer.from('')],
  true,
  1.5,
  '123',
  new RedisError('READONLY no'),
  new RedisError('ERR a\r\nb'),
  Buffer.from('txt:a'),
  ['a', 1],
  [7],
  [Buffer.from('message'), 'x'],
  'last',
]

describe("Redis' protocol", () => {
  it('is read, however it arrives', () => {
    for (let seed = 0; seed < 30; seed++) {
      const random = dice(seed)
      const got = read(conversation, seed === 0 ? undefined : () => 1 + random.int(seed))
      assert.deepEqual(
        got.map(({ reply }) => reply),
        replies,
      )
      assert.deepEqual(
        got.filter(({ push }) => push).map(({ reply }) => reply),
        [replies[15]],
      )
    }
  })

  it('may be longer than the memory at hand', () => {
    const reader = new ReplyReader(reply => assert.equal((reply as Buffer).length, 900_000), {
      ...limits,
      stringBytes: 1e6,
    })
    const bytes = Buffer.concat([Buffer.from('$900000\r\n'), Buffer.alloc(900_000, 13), Buffer.from('\r\n')])
    for (let round = 0; round < 3; round++) {
      for (let at = 0; at < bytes.length; ) {
        const space = reader.space()
        const count = Math.min(space.length, bytes.length - at)
        space.set(bytes.subarray(at, at + count))
        reader.data(count)
        at += count
      }
    }
  })

  for (const [what, text, message] of [
    ['another protocol', 'HTTP/1.1 400 Bad Request\r\n', /does not speak/],
    ['a line without end', `+${'x'.repeat(100_000)}`, /does not speak/],
    ['a huge string', '$5000\r\n', /string of 5000 bytes/],
    ['a string of no length', '$x\r\n', /string of NaN/],
    ['a huge list', '*101\r\n', /list of 101/],
    ['a deep list', '*1\r\n'.repeat(9), /list of 1/],
  ] as const) {
    it(`refuses ${what}`, () => assert.throws(() => read(text), message))
  }

  it('is written as a list of strings', () => {
    const chunks = encodeCommand(['SET', 'kéy', 12, Buffer.from([0, 255]), ''])
    const expected = Buffer.from(
      '*5\r\n$3\r\nSET\r\n$4\r\nkéy\r\n$2\r\n12\r\n$2\r\n\0ÿ\r\n$0\r\n\r\n'.replace('é', 'Ã©'),
      'latin1',
    )
    assert.deepEqual(Buffer.concat(chunks), expected)
  })

  it('has errors with a code', () => {
    assert.equal(new RedisError('WRONGPASS invalid').code, 'WRONGPASS')
    assert.equal(new RedisError('something else').code, 'ERR')
  })
})
