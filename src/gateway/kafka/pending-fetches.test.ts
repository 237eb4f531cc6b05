import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asksTheSame, PendingFetches } from './pending-fetches.ts'
import type { Fields } from './split.ts'

const request = (fetchOffset: number, partition = 0): Fields => ({
  topics: [{ topic: 't', topicId: 'x', partitions: [{ partition, fetchOffset, currentLeaderEpoch: 1 }] }],
})
const portion = (node: number, fetchOffset = 0) => ({ node, request: request(fetchOffset) })
const answer = (records: string | null, errorCode = 0): Fields => ({
  errorCode: 0,
  responses: [
    {
      topic: 't',
      topicId: 'x',
      partitions: [{ partitionIndex: 0, errorCode, records: records && Buffer.from(records) }],
    },
  ],
})

function coming() {
  let come: (answer: Fields) => void = () => {}
  const promise = new Promise<Fields>(resolve => {
    come = resolve
  })
  return { promise, come }
}

test('an answer that nobody waited for is there for the next who asks for the same', async () => {
  let held = 0
  const fetches = new PendingFetches(bytes => {
    held += bytes
  })
  const { promise, come } = coming()
  const first = fetches.add(portion(1), promise)
  assert.equal(fetches.find(portion(1)), null, 'somebody waits for it')
  assert.equal(fetches.take(first), null)
  assert.equal(fetches.left, 1)
  come(answer('12345'))
  await first.done
  assert.equal(held, 5)
  assert.equal(fetches.find(portion(2)), null)
  const again = fetches.find(portion(1))!
  assert.equal(again, first)
  assert.equal(again.tells, true)
  assert.deepEqual(fetches.take(again), answer('12345'))
  // The one who took it says when it has left.
  assert.deepEqual([held, fetches.left], [5, 0])
  assert.equal(fetches.find(portion(1)), null)
})

test('what does not fit any more is forgotten, before or after it came', async () => {
  let held = 0
  const fetches = new PendingFetches(bytes => {
    held += bytes
  })
  const early = fetches.add(portion(1), Promise.resolve(answer('123')))
  await early.done
  const { promise, come } = coming()
  const late = fetches.add(portion(2), promise)
  assert.notEqual(fetches.take(early), null)
  held -= 3
  assert.equal(fetches.take(late), null)
  assert.equal(fetches.find(portion(2, 9)), null)
  assert.equal(fetches.left, 0)
  come(answer('123'))
  await late.done
  assert.equal(held, 0)
})

test('a client that goes leaves nothing behind', async () => {
  let held = 0
  const fetches = new PendingFetches(bytes => {
    held += bytes
  })
  const came = fetches.add(portion(1), Promise.resolve(answer('123')))
  await came.done
  const { promise, come } = coming()
  const later = fetches.add(portion(2), promise)
  fetches.close()
  assert.equal(held, 0)
  come(answer('12'))
  await later.done
  const after = fetches.add(portion(3), Promise.resolve(answer('1')))
  await after.done
  assert.deepEqual([held, fetches.left], [0, 0])
})

test('errors and records tell a client something, silence does not', async () => {
  const fetches = new PendingFetches(() => {})
  const told = async (given: Fields) => {
    const fetching = fetches.add(portion(1), Promise.resolve(given))
    await fetching.done
    return fetching.tells
  }
  assert.equal(await told(answer(null)), false)
  assert.equal(await told(answer('')), false)
  assert.equal(await told(answer('x')), true)
  assert.equal(await told(answer(null, 6)), true)
  assert.equal(await told({ errorCode: 70, responses: [] }), true)
})

test('what one client leaves behind is bounded', async () => {
  const fetches = new PendingFetches(() => {})
  for (let node = 0; node < 100; node++) fetches.take(fetches.add(portion(node), new Promise(() => {})))
  assert.ok(fetches.left <= 65, `${fetches.left}`)
})

test('the same means partitions, offsets and epochs', () => {
  assert.equal(asksTheSame(request(1), request(1)), true)
  assert.equal(asksTheSame(request(1), request(2)), false)
  assert.equal(asksTheSame(request(1), request(1, 1)), false)
  assert.equal(asksTheSame(request(1), { topics: [] }), false)
})
