import assert from 'node:assert/strict'
import { test } from 'node:test'
import { errorName } from '../../src/protocol/errors.ts'
import { DeleteRecords } from '../../src/protocol/messages/delete-records.ts'
import { FindCoordinator } from '../../src/protocol/messages/find-coordinator.ts'
import { batch, open, produce, start } from './kit.ts'

test('clients neither write to nor delete from the topic that holds the groups', async () => {
  const wire = await open(await start())
  const name = '__consumer_offsets'
  await wire.ask(FindCoordinator, 4, { keyType: 0, coordinatorKeys: ['g'] })
  const topics = [{ name, partitions: [{ partitionIndex: 0, offset: -1 }] }]
  const deleted = await wire.ask(DeleteRecords, 2, { topics, timeoutMs: 1000 })
  assert.equal(errorName(deleted.topics[0]!.partitions[0]!.errorCode), 'INVALID_TOPIC_EXCEPTION')
  assert.equal((await produce(wire, name, batch(['v']))).error, 'INVALID_TOPIC_EXCEPTION')
})
