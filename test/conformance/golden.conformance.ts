// Random instances of every message in every version, written by Kafka's own classes: we read them and write them again,
// byte by byte the same, with both compilers.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Codec } from '../../src/protocol/codec.ts'
import { compile } from '../../src/protocol/compile.ts'
import {
  readRequestHeader,
  readResponseHeader,
  writeRequestHeader,
  writeResponseHeader,
} from '../../src/protocol/header.ts'
import { interpret } from '../../src/protocol/interpret.ts'
import { Reader } from '../../src/protocol/reader.ts'
import { Writer } from '../../src/protocol/writer.ts'
import type { Release } from './kafka-jars.ts'
import { classPath, missing, RELEASES } from './kafka-jars.ts'
import { isEarlyAccess, messages, renamed } from './messages.ts'

const seed = process.env.OTTLA_SEED ?? '1'
const instances = process.env.OTTLA_GOLDEN ?? '40'
// dist/test/conformance/… → test/conformance/…
const program = fileURLToPath(new URL('../../../test/conformance/Golden.java', import.meta.url))
const skip = missing() ?? false

const headers = new Map<string, (version: number) => Codec<unknown, never>>([
  [
    'RequestHeaderData',
    version => ({
      read: reader => readRequestHeader(reader, version),
      write: (writer, value) => writeRequestHeader(writer, version, value),
    }),
  ],
  [
    'ResponseHeaderData',
    version => ({
      read: reader => readResponseHeader(reader, version),
      write: (writer, value) => writeResponseHeader(writer, version, value),
    }),
  ],
])

/** Which release was the first to show a version of a message. */
const decidedBy = new Map<string, Release>()

const codecs = new Map<string, Codec<unknown, never>[]>()

function codecsOf(name: string, version: number): Codec<unknown, never>[] {
  const key = `${name} ${version}`
  let known = codecs.get(key)
  if (known === undefined) {
    known = makeCodecs(name, version)
    codecs.set(key, known)
  }
  return known
}

function makeCodecs(name: string, version: number): Codec<unknown, never>[] {
  const header = headers.get(name)
  if (header !== undefined) return [header(version)]
  const message = messages.get(renamed(name))
  assert.ok(message, `${name} is not declared`)
  const layout = message.layout(version)
  return [compile<unknown, never>(layout), interpret<unknown, never>(layout)]
}

for (const release of RELEASES) {
  test(`the bytes of Kafka ${release} come back unchanged`, { skip }, async () => {
    const java = spawn('java', ['-cp', classPath(release), program, seed, instances], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const exit = new Promise(resolve => java.once('close', resolve))
    let lines = 0
    for await (const line of createInterface(java.stdout)) {
      checkVector(release, line)
      lines++
    }
    assert.equal(await exit, 0, 'java failed')
    assert.ok(lines > 500 * Number(instances), `only ${lines} vectors`)
  })
}

function checkVector(release: Release, line: string): void {
  const [name, version, hex] = line.split(' ') as [string, string, string]
  const vector = `${name} ${version}`
  if (decidedBy.get(vector) === undefined) decidedBy.set(vector, release)
  else if (decidedBy.get(vector) !== release && isEarlyAccess(name)) return
  try {
    check(name, version, hex)
  } catch (error) {
    throw new Error(`${name} v${version}: ${(error as Error).message}\n${hex.slice(0, 400)}`, { cause: error })
  }
}

function check(name: string, version: string, hex: string): void {
  const bytes = Buffer.from(hex, 'hex')
  const values: unknown[] = []
  for (const codec of codecsOf(name, Number(version))) {
    const reader = new Reader(bytes)
    const value = codec.read(reader)
    assert.equal(reader.remaining, 0, 'bytes left over')
    const writer = new Writer()
    codec.write(writer, value as never)
    const written = writer.toBytes()
    assert.ok(written.equals(bytes), difference(bytes, written))
    values.push(value)
  }
  if (values.length === 2) assert.deepEqual(values[0], values[1])
}

function difference(expected: Buffer, actual: Buffer): string {
  const at = expected.findIndex((byte, i) => byte !== actual[i])
  const around = (bytes: Buffer) => bytes.subarray(Math.max(0, at - 8), at + 8).toString('hex')
  return `byte ${at} of ${expected.length}: …${around(expected)}… became …${around(actual)}… of ${actual.length}`
}
