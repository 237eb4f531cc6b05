import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualTime } from '../machine/testing.ts'
import { ScramClient } from '../security/scram.ts'
import { silent } from '../world/logger.ts'
import type { RequestContext } from './handler.ts'
import { beginLogin, continueLogin } from './sasl.ts'

const secret = 'the secret of the cluster'
const random = { int: () => 0, bytes: (count: number) => new Uint8Array(count).fill(7) }

function connection() {
  const time = new VirtualTime()
  const closed: (() => void)[] = []
  const peer = {
    node: false,
    finished: 0,
    remote: { host: '10.0.0.9', port: 4000 },
    finish() {
      this.finished++
    },
    onClose(run: () => void) {
      closed.push(run)
      return () => {}
    },
  }
  const broker = { world: { timers: time, random }, logger: silent }
  const context = { peer, broker, node: { joinToken: () => secret } } as unknown as RequestContext
  return { time, peer, context, close: () => closed.map(run => run()) }
}

function prove(context: RequestContext, password: string): string[] {
  const client = new ScramClient('ottla-node', password, random)
  const first = continueLogin(context, client.first())
  if (first.result !== 'answer') return [first.result]
  return [first.result, continueLogin(context, client.final(first.bytes)).result]
}

test('who proves the secret is a node, and need not hurry any more', () => {
  const { time, peer, context } = connection()
  assert.equal(beginLogin(context), true)
  assert.deepEqual(prove(context, secret), ['answer', 'answer'])
  time.advance(60_000)
  assert.deepEqual([peer.node, peer.finished, time.pending], [true, 0, 0])
})

test('who has begun has ten seconds', () => {
  const { time, peer, context } = connection()
  beginLogin(context)
  time.advance(9_999)
  assert.equal(peer.finished, 0)
  time.advance(1)
  assert.equal(peer.finished, 1)
  assert.deepEqual(prove(context, secret), ['unexpected'])
  assert.equal(peer.node, false)
})

test('a wrong secret ends it, and nothing else can be said afterwards', () => {
  const { time, peer, context } = connection()
  beginLogin(context)
  assert.deepEqual(prove(context, 'a guess'), ['answer', 'failed'])
  assert.deepEqual(prove(context, secret), ['unexpected'])
  assert.deepEqual([peer.node, time.pending], [false, 0])
})

test('who has proved it cannot begin again, and a connection that ended leaves no timer', () => {
  const { context } = connection()
  beginLogin(context)
  assert.equal(beginLogin(context), false)
  prove(context, secret)
  assert.equal(beginLogin(context), false)
  const gone = connection()
  beginLogin(gone.context)
  gone.close()
  assert.equal(gone.time.pending, 0)
})
