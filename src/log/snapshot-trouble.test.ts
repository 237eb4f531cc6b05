import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryVolume } from '../store/memory.ts'
import { RottenLog } from '../store/rotten-log.ts'
import { silent } from '../world/logger.ts'
import { Log } from './log.ts'
import { defaultLogConfig, storeOptions } from './log-config.ts'
import { batchOf, HandWorld } from './testing.ts'

const place = { topic: 't', partition: 0 }
const topicId = 'AAECAwQFBgcICQoLDA0ODw'
const config = { ...defaultLogConfig, segmentBytes: 1000 }

test('a batch is learnt also when the producers before it cannot be written down', async () => {
  const world = new HandWorld()
  const store = new MemoryVolume(world.timers).open(place, topicId, storeOptions(config, world.random))
  const append = (log: Log, leaderEpoch: number, sequence = -1) => {
    const batch = batchOf(world, { valueBytes: 600, ...(sequence >= 0 && { producer: [7, 0, sequence] }) })
    return log.append(batch, { leaderEpoch, now: world.ms, origin: 'client' })
  }
  append(Log.open(store, place, topicId, config, world, silent, {}), 4, 0)
  await world.settle()

  const warnings: string[] = []
  const logger = { ...silent, warn: (message: string) => void warnings.push(message) }
  const log = Log.open(store, place, topicId, config, world, logger, {})
  assert.equal(log.latestEpoch, 4)
  const { scan } = store
  store.scan = () => {
    throw new RottenLog(0, 'bits have changed')
  }
  // Who has no id asks for no producers, but a new segment begins.
  assert.equal(append(log, 5).baseOffset, 1)
  assert.equal(log.epochForOffset(1), 5)
  assert.equal(warnings.length, 1)
  store.scan = scan
  assert.equal(append(log, 5, 1).baseOffset, 2)
  assert.equal(append(log, 5, 1).duplicate, true)
})
