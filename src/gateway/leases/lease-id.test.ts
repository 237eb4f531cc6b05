import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type LeaseId, readLeaseId, showLeaseId } from './lease-id.ts'

test('a lease by its name', () => {
  const ids: LeaseId[] = [
    { groupId: 'workers', partition: 0, offset: 17, lease: 1_767_225_600_000 },
    { groupId: 'ä/ö & 漢', partition: 2_147_483_647, offset: 999_999_999_999_999, lease: 1 },
  ]
  for (const id of ids) {
    const shown = showLeaseId(id)
    assert.equal(encodeURIComponent(shown), shown)
    assert.deepEqual(readLeaseId(shown), id)
  }
  assert.equal(showLeaseId(ids[0]!), '0-17-mjuohs00-d29ya2Vycw')
})

test('what is no lease', () => {
  for (const text of [
    '',
    'x',
    '0-0-0',
    '0-0-0-',
    '-1-0-0-Zw',
    '0-0-A-Zw',
    '0-0-0-Z w',
    '99999999999-0-0-Zw',
    '2147483648-0-0-Zw',
  ])
    assert.equal(readLeaseId(text), null)
})
