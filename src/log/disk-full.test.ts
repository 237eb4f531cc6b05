import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { KafkaError } from '../protocol/errors.ts'
import { FileVolume } from '../store/file/file-volume.ts'
import { silent } from '../world/logger.ts'
import { nodeWorld } from '../world/node.ts'
import type { Disk, File } from '../world/world.ts'
import type { Log } from './log.ts'
import { defaultLogConfig } from './log-config.ts'
import { LogManager } from './log-manager.ts'
import { batchOf, HandWorld, headersOf } from './testing.ts'

const topicId = 'bPQ1YzsbTMWjTg8Ms_ZHcg'

/** Node's disk, that can be told to have no room. */
class SmallDisk {
  full = false
  readonly disk: Disk = new Proxy(nodeWorld.disk, {
    get: (target, name) => {
      if (name === 'open') return (path: string, mode: 'read') => this.#file(target.open(path, mode))
      if (name === 'replaceFile')
        return (...args: Parameters<Disk['replaceFile']>) =>
          this.full ? Promise.reject(noRoom()) : target.replaceFile(...args)
      const value = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })

  #file(file: File): File {
    return new Proxy(file, {
      get: (target, name) => {
        if (name === 'write' && this.full)
          return (chunks: readonly Uint8Array[], position: number) => {
            // Part of it may have found room.
            target.write([chunks[0]!.subarray(0, 20)], position)
            throw noRoom()
          }
        const value = Reflect.get(target, name, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
  }
}

function noRoom(): Error {
  return Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })
}

test('a full disk refuses producers, loses nothing that was acknowledged, and takes records again when there is room', async () => {
  const root = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'ottla-full-'))
  const world = new HandWorld()
  const small = new SmallDisk()
  const open = async (): Promise<{ manager: LogManager; log: Log; dropped: number[] }> => {
    const volume = await FileVolume.open(root, { ...world, timers: world.timers, disk: small.disk }, silent)
    const failed = (error: Error): void => assert.fail(error)
    const manager = LogManager.open(volume, world, silent, { failed })
    const log = manager.create('a', 0, topicId, { ...defaultLogConfig, segmentBytes: 1000 })
    const dropped: number[] = []
    log.observe({ progress() {}, dropped: from => void dropped.push(from), failed })
    return { manager, log, dropped }
  }
  const append = (log: Log, sequence: number, leaderEpoch = 0) =>
    log.append(batchOf(world, { producer: [1, 0, sequence] }), { leaderEpoch, now: world.ms, origin: 'client' })
  const durable = async (log: Log): Promise<void> => {
    for (let turns = 0; turns < 1000 && log.durableOffset < log.logEndOffset; turns++) await world.settle()
    assert.equal(log.durableOffset, log.logEndOffset)
  }

  try {
    const { manager, log, dropped } = await open()
    for (let sequence = 0; sequence < 5; sequence++) append(log, sequence)
    await durable(log)
    small.full = true
    for (let attempt = 0; attempt < 3; attempt++) {
      assert.equal(append(log, 5, 1 + attempt).baseOffset, 5)
      append(log, 6, 1 + attempt)
      await world.settle()
      assert.deepEqual([log.logEndOffset, log.latestEpoch, log.flushedOffset], [5, 0, 5])
      assert.deepEqual(
        log.activeProducers().map(({ lastSequence }) => lastSequence),
        [4],
      )
      assert.equal(headersOf(await log.read(0, 1e6)).length, 5, 'reads go on')
    }
    assert.deepEqual(dropped, [5, 5, 5])
    small.full = false
    for (let sequence = 5; sequence < 30; sequence++) assert.equal(append(log, sequence, 9).baseOffset, sequence)
    await world.pass(1000)
    await durable(log)
    await world.until(manager.close())

    const again = await open()
    assert.deepEqual([again.log.logEndOffset, again.log.latestEpoch], [30, 9])
    assert.equal(again.log.epochForOffset(4), 0)
    assert.equal(append(again.log, 29, 9).duplicate, true)
    assert.throws(
      () => append(again.log, 31, 9),
      (error: KafkaError) => error.errorName === 'OUT_OF_ORDER_SEQUENCE_NUMBER',
    )
    await world.until(again.manager.close())
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
})
