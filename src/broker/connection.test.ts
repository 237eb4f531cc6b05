import assert from 'node:assert/strict'
import { test } from 'node:test'
import { requestFrame } from '../protocol/header.ts'
import { Produce } from '../protocol/messages/produce.ts'
import { silent } from '../world/logger.ts'
import { nodeWorld as world } from '../world/node.ts'
import type { Socket } from '../world/world.ts'
import { Broker, type BrokerLimits } from './broker.ts'
import type { Services } from './services.ts'

const MiB = 1024 * 1024
const limits: BrokerLimits = {
  requestBytes: 10 * MiB,
  connectionBytesInFlight: 64 * MiB,
  bytesInFlight: 64 * MiB,
  fetchBytes: MiB,
  connections: 10,
  connectionsPerAddress: 10,
  idleMs: 60_000,
  fetchSessions: 10,
  movedBytesPerSecond: 1_000_000,
}

/** Takes memory from its reader as Node's sockets do: the next piece right after the last was filled. */
class Pipe implements Socket {
  readonly local = { host: '127.0.0.1', port: 9092 }
  readonly remote = { host: '127.0.0.1', port: 5000 }
  readonly unsent = 0
  answers = 0
  #into: Parameters<Socket['receive']>[0] | null = null
  #memory: Uint8Array = new Uint8Array(0)
  #waiting: Uint8Array[] = []
  #paused = false
  #closed = () => {}

  receive(into: Parameters<Socket['receive']>[0]): void {
    this.#into = into
    this.#memory = into.space()
  }

  feed(bytes: Uint8Array): void {
    this.#waiting.push(bytes)
    while (!this.#paused && this.#waiting.length > 0 && this.#into !== null) {
      const next = this.#waiting.shift()!
      const part = next.subarray(0, this.#memory.length)
      if (part.length < next.length) this.#waiting.unshift(next.subarray(part.length))
      this.#memory.set(part)
      this.#into.data(part.length)
      this.#memory = this.#into?.space() ?? this.#memory
    }
  }

  write(_: readonly Uint8Array[], sent?: () => void): void {
    this.answers++
    sent?.()
  }

  onDrain(): void {}

  onClose(run: (error: Error | null) => void): void {
    this.#closed = () => run(null)
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.feed(new Uint8Array(0))
  }

  end(): void {
    this.destroy()
  }

  destroy(): void {
    this.#into = null
    setImmediate(() => this.#closed())
  }
}

/** A broker with one partition that says when it can take records, and what it got. */
function brokerOver(partition: { beforeAppend(): Promise<void> | null; append(records: Uint8Array): void }): Broker {
  const found = {
    topic: 't',
    log: partition,
    append(records: Uint8Array) {
      partition.append(records)
      return { baseOffset: 0, lastOffset: 0, logAppendTime: -1, logStartOffset: 0 }
    },
    whenWritten: (_: number, done: (error: null) => void) => done(null),
  }
  const replicas = { find: () => found, get: () => found }
  return new Broker(world, silent, limits, { replicas } as unknown as Services)
}

function produce(fill: number, bytes: number): Uint8Array {
  const records = new Uint8Array(bytes).fill(fill)
  const topicData = [{ name: 't', partitionData: [{ index: 0, records }] }]
  return Buffer.concat(requestFrame(Produce, 9, 1, 'test', { acks: 1, timeoutMs: 1000, topicData }))
}

async function until(done: () => boolean): Promise<void> {
  // By time, not by turns: the handler is loaded from the disk first, and the machine may be busy.
  const deadline = world.clock.mono() + 10_000
  while (!done() && world.clock.mono() < deadline) await new Promise(resolve => setTimeout(resolve, 1))
  assert.equal(done(), true)
}

test('the bytes of a request that holds back others stay as they are until it has read them', async () => {
  const got: { fill: number; clean: boolean }[] = []
  let hold: Promise<void> | null = null
  let release = () => {}
  const broker = brokerOver({
    beforeAppend: () => hold,
    append: records => got.push({ fill: records[0]!, clean: records.every(byte => byte === records[0]) }),
  })
  const pipe = new Pipe()
  broker.accept(pipe)
  // As large as memory gets, then steadily so.
  for (let i = 1; i <= 8; i++) {
    pipe.feed(produce(10 + i, 600_000))
    await until(() => pipe.answers === i)
  }
  hold = new Promise<void>(resolve => {
    release = resolve
  })
  pipe.feed(Buffer.concat([produce(101, 600_000), produce(102, 600_000)]))
  await new Promise(resolve => setImmediate(resolve))
  assert.equal(got.length, 8)
  hold = null
  release()
  await until(() => got.length === 10)
  assert.deepEqual(got.slice(8), [
    { fill: 101, clean: true },
    { fill: 102, clean: true },
  ])
  broker.abort()
})

test('what was received behind a request that ends the connection is not handled', async () => {
  const got: number[] = []
  const broker = brokerOver({
    beforeAppend: () => null,
    append(records) {
      got.push(records[0]!)
      if (records[0] === 12) throw new Error('a bug')
    },
  })
  const pipe = new Pipe()
  broker.accept(pipe)
  pipe.feed(produce(11, 100))
  await until(() => pipe.answers === 1)
  pipe.feed(Buffer.concat([produce(12, 100), produce(13, 100)]))
  await until(() => broker.connections === 0)
  assert.deepEqual(got, [11, 12])
})
