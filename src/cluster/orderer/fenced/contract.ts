import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ZERO_UUID } from '../../../protocol/uuid.ts'
import { hashOf } from './chain.ts'
import { type Entry, type FencedLog, type Head, logStart, type Position, type Token } from './fenced-log.ts'

/** What every adapter of `FencedLog` must hold: call `fencedLogContract` from a test file of the adapter. */
export interface StoreUnderTest {
  /** As another process would reach it. */
  client(): FencedLog
  /** Stops and starts it; nothing is lost. */
  restart(): Promise<void>
  pass(ms: number): Promise<void>
  close(): Promise<void>
}

const clusterId = 'AAAAAAAAAAAAAAAAAAAACQ'
const leader = (id: number) => ({
  id,
  directoryId: ZERO_UUID,
  endpoints: [{ name: 'PLAINTEXT', host: 'localhost', port: 9090 + id }],
})
/** Long enough for slow machines; tests that wait for its end take their own. */
const leaseMs = 60_000

/** Entries of one offset each behind `after`, and where they end. */
export function entriesAfter(after: Position, ...texts: string[]): { entries: Entry[]; end: Position } {
  let end = after
  const entries = texts.map(text => {
    const bytes = Buffer.from(text)
    const entry = { endOffset: end.endOffset + 1, epoch: 0, batchId: '', previous: end.hash, bytes }
    end = { endOffset: entry.endOffset, hash: hashOf(entry.previous, bytes) }
    return entry
  })
  return { entries, end }
}

export function fencedLogContract(name: string, open: () => Promise<StoreUnderTest>): void {
  const onStore = (what: string, run: (store: StoreUnderTest, log: FencedLog) => Promise<void>) =>
    it(what, async () => {
      const store = await open()
      const log = store.client()
      try {
        await run(store, log)
      } finally {
        log.close()
        await store.close()
      }
    })

  const rule = (what: string, run: (store: StoreUnderTest, log: FencedLog) => Promise<void>) =>
    onStore(what, async (store, log) => {
      await log.create('log', clusterId)
      await run(store, log)
    })

  const headOf = async (log: FencedLog): Promise<Head> => (await log.look(0))!.head
  const take = (log: FencedLog, id: number, nonce: string, former: string[] = [], ms = leaseMs) =>
    log.acquire({ logId: 'log', leader: leader(id), nonce, former, leaseMs: ms })
  const put = (log: FencedLog, token: Token, after: Position, batchId: string, ...texts: string[]) => {
    const { entries, end } = entriesAfter(after, ...texts)
    return log.append(token, after, batchId, entries, end)
  }
  const contents = async (log: FencedLog) => {
    const texts: string[] = []
    for (let after = 0; ; ) {
      const { entries } = (await log.look(after))!
      if (entries.length === 0) return texts
      for (const { bytes, endOffset } of entries) {
        assert.equal(endOffset, after + 1, 'no gap')
        texts.push(Buffer.from(bytes).toString())
        after = endOffset
      }
    }
  }

  describe(`fenced log: ${name}`, () => {
    onStore('is not there before it is made, once', async (store, log) => {
      assert.equal(await log.look(0), null)
      assert.equal(await take(log, 1, 'a'), null)
      const other = store.client()
      await Promise.all([log.create('one', clusterId), other.create('two', clusterId)])
      other.close()
      const head = await headOf(log)
      assert.ok(['one', 'two'].includes(head.logId))
      await log.create('three', clusterId)
      assert.deepEqual(await headOf(log), head)
      assert.deepEqual(
        { ...head, logId: '', source: '', same: false },
        {
          ...logStart,
          logId: '',
          source: '',
          clusterId,
          token: { epoch: 0, nonce: '' },
          leader: null,
          leaseMs: 0,
          safeOffset: 0,
          startOffset: 0,
          snapshot: null,
          moved: false,
          same: false,
          vouched: [],
        },
      )
    })

    rule('gives the lease to one, with the next epoch', async (store, log) => {
      const others = [2, 3, 4].map(() => store.client())
      const taken = await Promise.all([log, ...others].map((each, index) => take(each, index + 1, `n${index}`)))
      const got = taken.filter(head => head !== null)
      assert.equal(got.length, 1)
      const head = await headOf(log)
      assert.deepEqual(head.token, got[0]!.token)
      assert.equal(head.token.epoch, 1)
      assert.deepEqual(head.leader, leader(head.leader!.id))
      assert.ok(head.leaseMs > leaseMs / 2 && head.leaseMs <= leaseMs)
      assert.equal(await take(log, 9, 'x'), null)
      const again = await take(log, 9, 'y', ['w', head.token.nonce])
      assert.deepEqual(again?.token, { epoch: 2, nonce: 'y' }, 'its own former lease is no hindrance')
      for (const each of others) each.close()
    })

    rule('gives it again when it has run out, and at once when it was given back', async (store, log) => {
      await take(log, 1, 'a', [], 60)
      await store.pass(100)
      assert.equal((await headOf(log)).leaseMs, 0)
      const second = await take(log, 2, 'b')
      assert.equal(second?.token.epoch, 2)
      await log.release({ epoch: 1, nonce: 'a' })
      assert.equal(await take(log, 3, 'c'), null, 'only its owner gives it back')
      await log.release(second!.token)
      assert.equal((await take(log, 3, 'c'))?.token.epoch, 3)
    })

    rule('renews for the last leader only, also when the lease had run out', async (store, log) => {
      const first = (await take(log, 1, 'a', [], 60))!
      await store.pass(100)
      assert.equal(await log.renew(first.token, leaseMs), 'ok')
      assert.ok((await headOf(log)).leaseMs > 0)
      const second = (await take(log, 1, 'b', ['a']))!
      assert.equal(await log.renew(first.token, leaseMs), 'fenced')
      assert.equal(await log.renew(second.token, leaseMs), 'ok')
      assert.equal(await log.renew({ ...second.token, nonce: 'a' }, leaseMs), 'fenced')
    })

    rule('appends all or nothing, behind the end that the leader knows', async (_, log) => {
      const { token } = (await take(log, 1, 'a'))!
      assert.equal(await put(log, token, logStart, 'one', 'x', 'y'), 'ok')
      const { endOffset, hash } = await headOf(log)
      assert.equal(endOffset, 2)
      assert.equal((await headOf(log)).safeOffset, 2, 'what was answered counts')
      assert.equal(await put(log, token, logStart, 'two', 'z'), 'conflict')
      assert.equal(await put(log, token, { endOffset: 2, hash: 'other' }, 'two', 'z'), 'conflict')
      assert.equal(await put(log, token, { endOffset, hash }, 'two', 'z'), 'ok')
      assert.deepEqual(await contents(log), ['x', 'y', 'z'])
      const [first, second] = (await log.look(0))!.entries
      assert.equal(first!.previous, '')
      assert.equal(second!.previous, hashOf('', Buffer.from('x')))
      assert.equal(second!.batchId, 'one')
    })

    rule('takes the same append again for what it is', async (_, log) => {
      const { token } = (await take(log, 1, 'a'))!
      assert.equal(await put(log, token, logStart, 'one', 'x', 'y'), 'ok')
      assert.equal(await put(log, token, logStart, 'one', 'x', 'y'), 'ok')
      assert.deepEqual(await contents(log), ['x', 'y'])
    })

    rule('refuses whoever has been followed by another, although the end is the same', async (_, log) => {
      const first = (await take(log, 1, 'a'))!
      assert.equal(await put(log, first.token, logStart, 'one', 'x'), 'ok')
      const { endOffset, hash } = await headOf(log)
      const second = (await take(log, 2, 'b', ['a']))!
      for (const stale of [first.token, { ...second.token, nonce: 'a' }, { ...second.token, epoch: 1 }]) {
        assert.equal(await put(log, stale, { endOffset, hash }, 'late', 'z'), 'fenced')
        // What it had appended before is told by the log, not by this.
        assert.equal(await put(log, stale, logStart, 'one', 'x'), 'fenced')
      }
      assert.equal(await put(log, second.token, { endOffset, hash }, 'two', 'y'), 'ok')
      assert.deepEqual(await contents(log), ['x', 'y'])
    })

    rule('keeps bytes as they are', async (_, log) => {
      const { token } = (await take(log, 1, 'a'))!
      const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, index) => (index * 7) & 0xff))
      const end = { endOffset: 5, hash: hashOf('', bytes) }
      const entry = { endOffset: 5, epoch: 1, batchId: '', previous: '', bytes }
      assert.equal(await log.append(token, logStart, 'one', [entry], end), 'ok')
      const { entries } = (await log.look(4))!
      assert.deepEqual(Buffer.from(entries[0]!.bytes), bytes)
      assert.equal(entries[0]!.endOffset, 5)
      assert.deepEqual((await log.look(5))!.entries, [])
    })

    rule('gives much in parts, and what is large all the same', async (_, log) => {
      const { token } = (await take(log, 1, 'a'))!
      let after: Position = logStart
      const sizes = [3_000_000, 900_000, 900_000, 5_000_000, 10, 10]
      for (const [index, size] of sizes.entries()) {
        const { entries, end } = entriesAfter(after, String(index).repeat(size))
        assert.equal(await log.append(token, after, `b${index}`, entries, end), 'ok')
        after = end
      }
      const texts = await contents(log)
      assert.deepEqual(
        texts.map(text => text.length),
        sizes,
      )
    })

    rule('knows when it was moved, and waits to be confirmed', async (store, log) => {
      const { token } = (await take(log, 1, 'a'))!
      assert.equal(await put(log, token, logStart, 'one', 'x'), 'ok')
      await store.restart()
      const moved = await headOf(log)
      assert.equal(moved.moved, true)
      assert.equal(moved.same, true, 'it has no copies')
      const { endOffset, hash } = moved
      assert.equal(endOffset, 1)
      assert.equal(await put(log, token, { endOffset, hash }, 'two', 'y'), 'moved')
      assert.equal(await log.renew(token, leaseMs), 'moved')
      assert.equal(await take(log, 1, 'b', ['a']), null)
      assert.equal(await log.vouch('another', 1), 'moved')
      assert.deepEqual([await log.vouch(moved.source, 1), await log.vouch(moved.source, 12)], ['ok', 'ok'])
      assert.deepEqual(
        (await headOf(log)).vouched.slice().sort((a, b) => a - b),
        [1, 12],
      )
      assert.equal(await log.confirm({ ...moved, source: 'another' }), 'moved')
      assert.equal(await log.confirm({ ...moved, endOffset: 7 }), 'conflict')
      assert.equal(await log.confirm({ ...moved, token: { epoch: 1, nonce: 'b' } }), 'conflict')
      assert.equal(await log.confirm(moved), 'ok')
      assert.equal(await log.confirm(moved), 'ok')
      const head = await headOf(log)
      assert.equal(head.moved, false)
      assert.deepEqual(head.vouched, [])
      assert.equal(head.leaseMs, 0)
      assert.equal(await put(log, token, { endOffset, hash }, 'two', 'y'), 'fenced')
      assert.equal((await take(log, 1, 'b'))?.token.epoch, 1002)
      // A person takes it as it is, and this node has seen more.
      assert.equal(await log.confirm(await headOf(log), 5000), 'ok')
      assert.equal((await take(log, 1, 'c'))?.token.epoch, 6001)
    })

    rule('keeps two snapshots, and the log behind the one before', async (_, log) => {
      const { token } = (await take(log, 1, 'a'))!
      let after: Position = logStart
      let former = 0
      for (const round of [1, 2, 3]) {
        const { entries, end } = entriesAfter(after, `${round}a`, `${round}b`)
        assert.equal(await log.append(token, after, `b${round}`, entries, end), 'ok')
        after = end
        const bytes = Buffer.alloc(1_200_000, round)
        assert.equal(await log.putSnapshot(token, { ...end, epoch: 1 }, bytes, former), 'ok')
        const head = await headOf(log)
        assert.deepEqual(head.snapshot, { ...end, epoch: 1 })
        assert.equal(head.startOffset, former)
        assert.deepEqual(Buffer.from((await log.getSnapshot(head.snapshot!))!), bytes)
        former = end.endOffset
      }
      const { entries } = (await log.look(0))!
      assert.deepEqual(
        entries.map(({ endOffset }) => endOffset),
        [5, 6],
      )
      assert.equal(await log.getSnapshot({ endOffset: 2, epoch: 1 }), null)
      assert.ok((await log.getSnapshot({ endOffset: 4, epoch: 1 })) !== null)
      await take(log, 2, 'b', ['a'])
      assert.equal(await log.putSnapshot(token, { ...after, epoch: 1 }, Buffer.from('x'), 6), 'fenced')
      assert.equal((await headOf(log)).startOffset, 4)
    })

    rule('tells others when something has changed', async (store, log) => {
      const other = store.client()
      let told = 0
      other.watch(() => told++)
      await other.look(0)
      const { token } = (await take(log, 1, 'a'))!
      told = 0
      await put(log, token, logStart, 'one', 'x')
      for (let i = 0; i < 100 && told === 0; i++) await store.pass(10)
      assert.ok(told > 0, 'of an append')
      told = 0
      log.watch(() => {})
      assert.equal(await log.release(token), 1, 'others have heard')
      for (let i = 0; i < 100 && told === 0; i++) await store.pass(10)
      assert.ok(told > 0, 'that the lease is free')
      other.watch(null)
      await other.look(0)
      const again = (await take(log, 1, 'b'))!
      assert.equal(await log.release(again.token), 0, 'nobody listens')
      other.close()
    })
  })
}
