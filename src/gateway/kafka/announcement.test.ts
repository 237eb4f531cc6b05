import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nodeApis, servedApis } from '../../broker/served.ts'
import { common } from './announcement.ts'
import { proxiedApis } from './served.ts'

const range = (apiKey: number, minVersion: number, maxVersion: number) => ({ apiKey, minVersion, maxVersion })

test('announced is what all know', () => {
  const ours = { apiKeys: [range(0, 0, 13), range(1, 4, 18), range(2, 3, 9), range(3, 0, 1)] }
  const theirs = { apiKeys: [range(3, 0, 5), range(0, 3, 11), range(1, 0, 17), range(2, 0, 2), range(50, 0, 0)] }
  assert.deepEqual(common([ours, theirs]), [range(0, 3, 11), range(1, 4, 17), range(3, 0, 1)])
  assert.deepEqual(common([ours]), ours.apiKeys)
  assert.deepEqual(common([]), [])
})

/** What nodes ask of each other, and by what they prove that they are nodes: SASL is nothing else yet. */
const betweenNodes = [17, 36, 52, 53, 54, 56, 59, 62, 63, 67, 82, ...nodeApis.map(({ key }) => key)]

test('everything that clients may ask is passed on, and nothing that nodes ask of each other', async () => {
  const passed = new Set(proxiedApis.map(({ key }) => key))
  for (const { key } of [...servedApis, ...nodeApis])
    assert.equal(passed.has(key), !betweenNodes.includes(key), `${key}`)
  for (const { key, load } of proxiedApis) assert.equal((await load()).default.api.key, key)
})
