// What the tests of the broker have in common: brokers that end with their test, topics, and the two requests that nearly
// all of them send.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { type BrokerOptions, type RunningBroker, startBroker } from '../../src/index.ts'
import { errorName } from '../../src/protocol/errors.ts'
import { CreateTopics } from '../../src/protocol/messages/create-topics.ts'
import { DeleteTopics } from '../../src/protocol/messages/delete-topics.ts'
import { Fetch } from '../../src/protocol/messages/fetch.ts'
import { Produce } from '../../src/protocol/messages/produce.ts'
import { ZERO_UUID } from '../../src/protocol/uuid.ts'
import type { Logger } from '../../src/world/logger.ts'
import {
  type FetchOptions,
  fetchRequest,
  type Place,
  type ProduceOptions,
  produceRequest,
  valuesOf,
} from './requests.ts'
import { Wire } from './wire.ts'

export { batch, fetchRequest, produceRequest } from './requests.ts'

const running = new Set<RunningBroker>()
const wires = new Set<Wire>()
const directories: string[] = []

after(async () => {
  for (const wire of wires) wire.close()
  await Promise.all([...running].map(broker => broker.stop()))
  for (const directory of directories) rmSync(directory, { recursive: true, force: true })
})

/** A broker that is stopped after the tests of the file, if it was not before. */
export async function start(options: BrokerOptions = {}): Promise<RunningBroker> {
  const broker = await startBroker(options)
  running.add(broker)
  return broker
}

export async function open({ port }: { port: number }, host?: string): Promise<Wire> {
  const wire = await Wire.open(port, host)
  wires.add(wire)
  return wire
}

export function scratch(): string {
  const directory = mkdtempSync(join(tmpdir(), 'ottla-broker-'))
  directories.push(directory)
  return directory
}

/** A logger that remembers what was worth a warning. */
export function listener(): Logger & { readonly lines: string[] } {
  const lines: string[] = []
  const note = (message: string): void => void lines.push(message)
  return { lines, debug() {}, info() {}, warn: note, error: note }
}

let topics = 0

/** A new topic; its name and id. */
export async function topic(
  wire: Wire,
  options: { name?: string; partitions?: number; config?: Record<string, string> } = {},
): Promise<{ name: string; topicId: string }> {
  const { name = `topic-${topics++}`, partitions = 1, config = {} } = options
  const configs = Object.entries(config).map(([name, value]) => ({ name, value }))
  const wanted = { name, numPartitions: partitions, replicationFactor: 1, assignments: [], configs }
  const [made] = (await wire.ask(CreateTopics, 7, { topics: [wanted] })).topics
  assert.equal(errorName(made!.errorCode), 'NONE', made!.errorMessage ?? '')
  return { name, topicId: made!.topicId }
}

export async function deleteTopic(wire: Wire, name: string): Promise<void> {
  const [gone] = (await wire.ask(DeleteTopics, 6, { topics: [{ name, topicId: ZERO_UUID }], timeoutMs: 1000 }))
    .responses
  assert.equal(errorName(gone!.errorCode), 'NONE')
}

/** What the broker says about the one partition that was written. */
export async function produce(wire: Wire, name: string, records: Uint8Array, options: ProduceOptions = {}) {
  const request = produceRequest(name, records, options)
  const { responses } = await wire.ask(Produce, options.version ?? 9, request)
  const { errorCode, ...rest } = responses[0]!.partitionResponses[0]!
  return { error: errorName(errorCode), ...rest }
}

/** The answer, its partitions as a flat list. */
export async function fetch(wire: Wire, places: readonly Place[], options: FetchOptions = {}) {
  const answer = await wire.ask(Fetch, options.version ?? 12, fetchRequest(places, options))
  const partitions = answer.responses.flatMap(({ topic, partitions }) =>
    partitions.map(({ partitionIndex, errorCode, highWatermark, logStartOffset, records }) => ({
      topic,
      partition: partitionIndex,
      error: errorName(errorCode),
      highWatermark,
      logStartOffset,
      bytes: records?.length ?? 0,
      values: (options.version ?? 12) < 4 ? [] : valuesOf(records),
      records,
    })),
  )
  return { error: errorName(answer.errorCode), sessionId: answer.sessionId, partitions }
}

export const sleep = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))

/** Waits until it is so; for what a broker does a moment later by itself. */
export async function until(what: () => boolean, ms = 2000): Promise<void> {
  for (const end = performance.now() + ms; !what(); await sleep(5))
    assert.ok(performance.now() < end, `not so after ${ms} ms: ${what}`)
}
