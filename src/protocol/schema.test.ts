import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { compile } from './compile.ts'
import { interpret } from './interpret.ts'
import { layOut } from './layout.ts'
import { ProtocolError } from './protocol-error.ts'
import { Reader } from './reader.ts'
import type { Fields, FieldsIn, In, Out, RequestInput, RequestOf, ResponseOf, ResponseOutput } from './schema.ts'
import { api, array, bool, bytes, int8, int16, int32, list, message, records, string, struct, uuid } from './schema.ts'
import { Writer } from './writer.ts'

/** Both compilers have to agree about everything here. */
function each<F extends Fields>(
  fields: F,
  version: number,
  flexible: boolean,
  check: (codec: { hex(value: FieldsIn<F>): string; read(hex: string): unknown }) => void,
): void {
  for (const make of [compile, interpret]) {
    const codec = make<unknown, FieldsIn<F>>(layOut(fields, version, flexible))
    check({
      hex(value) {
        const writer = new Writer()
        codec.write(writer, value)
        return writer.toBytes().toString('hex')
      },
      read: hex => codec.read(new Reader(Buffer.from(hex, 'hex'))),
    })
  }
}

test('reading yields every field in every version', () => {
  const fields = {
    a: int8,
    b: int16.in('1+').or(-1),
    c: string.in('2+').nullable().or(null),
    d: array({ e: int8 }).in('2+'),
    f: struct({ g: int8.or(3), h: list(int8), i: bytes }).in('2+'),
    j: records.in('2+').nullable(),
    k: uuid.in('2+'),
    l: bool.in('2+').or(true),
  }
  const absent = {
    c: null,
    d: [],
    f: { g: 3, h: [], i: Buffer.alloc(0) },
    j: null,
    k: 'AAAAAAAAAAAAAAAAAAAAAA',
    l: true,
  }
  each(fields, 0, false, ({ read }) => assert.deepEqual(read('07'), { a: 7, b: -1, ...absent }))
  each(fields, 1, false, ({ read }) => assert.deepEqual(read('070008'), { a: 7, b: 8, ...absent }))
  each(fields, 2, false, ({ hex, read }) => {
    // What is left out is written as its default.
    assert.deepEqual(read(hex({ a: 7 })), { a: 7, b: -1, ...absent })
  })
})

test('defaults are made afresh', () => {
  each({ a: list(int8).in('1+'), b: struct({ c: int8.or(1) }).in('1+') }, 0, false, ({ read }) => {
    const first = read('') as { a: number[]; b: { c: number } }
    first.a.push(1)
    first.b.c = 9
    assert.deepEqual(read(''), { a: [], b: { c: 1 } })
  })
})

test('a value that a version cannot carry is refused, unless it may be ignored', () => {
  const fields = {
    a: int8.in('1+'),
    b: int8.in('1+').ignorable(),
    c: string.in('1+').nullable().or(null),
    d: list(int8).in('1+'),
    e: struct({ f: int8.or(-1), g: list(string) }).in('1+'),
    h: bytes.in('1+'),
  }
  each(fields, 0, false, ({ hex }) => {
    assert.equal(hex({}), '')
    assert.equal(hex({ b: 5 }), '')
    assert.equal(hex({ a: 0, c: null, d: [], e: { f: -1, g: [] }, h: Buffer.alloc(0) }), '')
    assert.throws(() => hex({ a: 1 }), /this version has no field a/)
    assert.throws(() => hex({ c: '' }), /no field c/)
    assert.throws(() => hex({ d: [1] }), /no field d/)
    assert.throws(() => hex({ e: { f: 0, g: [] } }), /no field e/)
    assert.throws(() => hex({ e: { g: [''] } }), /no field e/)
    assert.throws(() => hex({ h: Buffer.alloc(1) }), /no field h/)
  })
})

test('null only where it is allowed', () => {
  const fields = {
    a: string.nullable('1+'),
    b: array({ c: int8 }).nullable('1+'),
    d: struct({ e: int8 }).nullable('1+'),
  }
  const nothing = { a: null, b: null, d: null }
  each(fields, 1, false, ({ hex, read }) => {
    assert.equal(hex(nothing), 'ffffffffffffff')
    assert.deepEqual(read('ffffffffffffff'), nothing)
    assert.equal(hex({ a: '', b: [], d: { e: 5 } }), '0000000000000105')
  })
  each(fields, 1, true, ({ hex, read }) => {
    assert.equal(hex(nothing), '0000ff00')
    assert.deepEqual(read('0000ff00'), nothing)
    assert.equal(hex({ a: '', b: [], d: { e: 5 } }), '01010105' + '00' + '00')
  })
  each(fields, 0, false, ({ hex, read }) => {
    assert.throws(() => hex({ ...nothing, a: null }), ProtocolError)
    assert.throws(() => hex({ a: '', b: null, d: { e: 1 } }), ProtocolError)
    assert.throws(() => hex({ a: '', b: [], d: null }), ProtocolError)
    assert.throws(() => read('ffff'), ProtocolError)
    assert.throws(() => read('0000ffffffff'), ProtocolError)
    assert.equal(hex({ a: '', b: [], d: { e: 5 } }), '00000000000005')
  })
})

test('tagged fields are written in order, and only when they say something', () => {
  const fields = {
    b: int8.tag(1, '1+').or(7),
    a: string.tag(0, '1+').nullable('1+').or(null),
    s: struct({ x: int8.or(-1) }).tag(5, '1+'),
  }
  each(fields, 1, true, ({ hex, read }) => {
    assert.equal(hex({}), '00')
    assert.equal(hex({ a: null, b: 7, s: { x: -1 } }), '00')
    assert.equal(hex({ b: 8, a: 'x' }), '02' + '00020278' + '010108')
    assert.equal(hex({ s: { x: 2 } }), '01' + '0502' + '0200')
    assert.deepEqual(read('00'), { b: 7, a: null, s: { x: -1 } })
    // Any order is read, as Kafka does; unknown tags are skipped.
    assert.deepEqual(read('03' + '010108' + '9f1f03aabbcc' + '00020278'), { b: 8, a: 'x', s: { x: -1 } })
    assert.throws(() => read('01' + '01020808'), /not as long as declared/)
    assert.throws(() => read('01' + '0105' + '08'), /5 bytes needed/)
  })
  each(fields, 0, false, ({ hex }) => assert.throws(() => hex({ b: 8 }), /no field b/))
})

test('a missing or unfit value is named', () => {
  const Thing = message('Thing', '0-1', {}, { a: int8, b: list(int8) })
  // @ts-expect-error: b is required
  assert.throws(() => Thing.toBytes(0, { a: 1 }), /writing Thing v0: field b is missing/)
  // @ts-expect-error: b is an array
  assert.throws(() => Thing.toBytes(0, { a: 1, b: 'no' }), /writing Thing v0: not an array: no/)
  assert.throws(() => Thing.read(Buffer.from('01', 'hex'), 1), /reading Thing v1: 4 bytes needed at 1, 0 left/)
  assert.throws(() => Thing.read(Buffer.alloc(9), 2), /Thing has no version 2/)
  assert.throws(() => Thing.read(Buffer.alloc(9), -1), /Thing has no version -1/)
})

test('a message is read where it stands, and what follows is left alone', () => {
  const Key = message('Key', '0', {}, { group: string })
  const bytes = Buffer.from('0001' + '000161' + 'ffff', 'hex')
  assert.deepEqual(Key.read(bytes, 0, 2), { group: 'a' })
  const reader = new Reader(bytes, 2)
  Key.readFrom(reader, 0)
  assert.equal(reader.remaining, 2)
})

test('a tagged field in a version without tags is a mistake of the schema', () => {
  const Broken = message('Broken', '0-1', { flexible: '1+' }, { a: int8.tag(0, '0+') })
  assert.throws(() => Broken.toBytes(0, {}), /tagged field a in inflexible version 0/)
})

test('where code must not be generated, codecs are closures', () => {
  const schema = fileURLToPath(new URL('./messages/metadata.js', import.meta.url))
  const program = `
    const { Metadata } = await import(${JSON.stringify(schema)})
    const bytes = Metadata.request.toBytes(9, { topics: [{ name: 'foo' }] })
    process.stdout.write(bytes.toString('hex') + ' ' + Metadata.request.read(bytes, 9).topics[0].name)`
  const node = spawnSync(process.execPath, [
    '--disallow-code-generation-from-strings',
    '--input-type=module',
    '-e',
    program,
  ])
  assert.equal(node.stderr.toString(), '')
  assert.equal(node.stdout.toString(), '0204666f6f0001000000 foo')
})

// Checked by the compiler alone.

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const same = <A, B>(_: Equal<A, B>): void => {}

const Sample = api(
  999,
  'Sample',
  '0-3',
  { flexible: '2+' },
  { a: int8, b: string.in('1+').nullable(), c: array({ d: uuid }), e: records.nullable() },
  { f: struct({ g: bool }).tag(0, '2+'), h: list(int32).or([]) },
)

same<RequestOf<typeof Sample>, { a: number; b: string | null; c: { d: string }[]; e: Uint8Array | null }>(true)
same<ResponseOutput<typeof Sample>, { f: { g: boolean }; h: number[] }>(true)
same<
  RequestInput<typeof Sample>,
  {
    readonly a: number
    readonly c: readonly { readonly d: string }[]
    readonly e: Uint8Array | readonly Uint8Array[] | null
    readonly b?: string | null | undefined
  }
>(true)
same<ResponseOf<typeof Sample>, In<typeof Sample.response>>(true)
same<RequestOf<typeof Sample>, Out<typeof Sample.request>>(true)

test('mistakes in a schema are seen by the compiler', () => {
  // @ts-expect-error: a version range needs its versions
  assert.throws(() => message('Wrong', 'all', {}, {}), /not a version range/)
  // @ts-expect-error: the default has the type of the field
  int8.or('1')
  // @ts-expect-error: null is no default where null is not allowed
  string.or(null)
})
