import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { nodeNet } from './node-net.ts'
import type { Socket } from './world.ts'

/** A connection and both its ends; `got` is what the second has read so far. */
async function pair() {
  const memory = Buffer.alloc(65_536)
  const got: Buffer[] = []
  let accepted: (socket: Socket) => void
  const other = new Promise<Socket>(resolve => {
    accepted = resolve
  })
  const listener = await nodeNet.listen({ host: '127.0.0.1', port: 0 }, socket => accepted(socket))
  const writer = await nodeNet.connect(listener.address)
  const reader = await other
  const ended = new Promise<void>(resolve => {
    reader.receive({
      space: () => memory,
      data: bytes => void got.push(Buffer.from(memory.subarray(0, bytes))),
      end: resolve,
    })
  })
  writer.receive({ space: () => memory, data: () => {}, end: () => {} })
  const stop = async () => {
    writer.destroy()
    reader.destroy()
    await listener.close()
  }
  return { writer, reader, ended, got: () => Buffer.concat(got), stop }
}

const turn = () => new Promise<void>(resolve => setImmediate(resolve))

describe('a socket', () => {
  it('sends all that was written, in order, then ends', async () => {
    const { writer, ended, got, stop } = await pair()
    const expected: Buffer[] = []
    let sent = 0
    for (let i = 0; i < 300; i++) {
      // Small ones, several at once, and more than the system takes without waiting.
      const chunks = Array.from({ length: 1 + (i % 3) }, (_, n) => Buffer.alloc(i % 50 === 49 ? 300_000 : 20 + n, i))
      expected.push(...chunks)
      writer.write(chunks, () => sent++)
      if (i % 10 === 0) await turn()
    }
    writer.end()
    await ended
    assert.equal(sent, 300)
    assert.ok(got().equals(Buffer.concat(expected)))
    await stop()
  })

  it('gives everything to whoever reads now, also what Node receives into memory of the reader before', async () => {
    const { writer, reader, got, stop } = await pair()
    writer.write([Buffer.from('one')])
    while (got().length < 3) await turn()
    let later = ''
    const memory = Buffer.alloc(4)
    reader.receive({
      space: () => memory,
      data: bytes => (later += memory.toString('latin1', 0, bytes)),
      end: () => {},
    })
    writer.write([Buffer.from('two, three')])
    while (later.length < 10) await turn()
    assert.deepEqual([got().toString(), later], ['one', 'two, three'])
    await stop()
  })

  it('says what the system has not taken, and when it has', async () => {
    const { writer, reader, stop } = await pair()
    writer.write([Buffer.alloc(10)])
    writer.write([Buffer.alloc(10)])
    await turn()
    reader.pause()
    const drained = new Promise<void>(resolve => writer.onDrain(resolve))
    let sent = 0
    for (let i = 0; i < 100; i++) writer.write([Buffer.alloc(200_000)], () => sent++)
    assert.ok(writer.unsent > 1_000_000, `${writer.unsent}`)
    assert.ok(sent < 100)
    reader.resume()
    await drained
    assert.equal(writer.unsent, 0)
    assert.equal(sent, 100)
    await stop()
  })

  it('keeps what comes before it has a reader', async () => {
    let accepted: (socket: Socket) => void
    const other = new Promise<Socket>(resolve => {
      accepted = resolve
    })
    const listener = await nodeNet.listen({ host: '127.0.0.1', port: 0 }, socket => accepted(socket))
    const writer = await nodeNet.connect(listener.address)
    writer.write([Buffer.from('early')])
    writer.end()
    const reader = await other
    await new Promise(resolve => setTimeout(resolve, 20))
    const memory = Buffer.alloc(100)
    let got = ''
    await new Promise<void>(resolve =>
      reader.receive({
        space: () => memory,
        data: bytes => {
          got += memory.toString('latin1', 0, bytes)
        },
        end: resolve,
      }),
    )
    assert.equal(got, 'early')
    writer.destroy()
    reader.destroy()
    await listener.close()
  })

  it('gives memory back and closes when the peer is gone', async () => {
    const { writer, reader, stop } = await pair()
    for (let i = 0; i < 3; i++) writer.write([Buffer.alloc(10)])
    await turn()
    reader.pause()
    let sent = 0
    const closed = new Promise<void>(resolve => writer.onClose(() => resolve()))
    for (let i = 0; i < 50; i++) writer.write([Buffer.alloc(200_000)], () => sent++)
    reader.destroy()
    await closed
    await turn()
    assert.equal(sent, 50)
    writer.write([Buffer.alloc(10)], () => sent++)
    assert.equal(sent, 51)
    await stop()
  })
})
