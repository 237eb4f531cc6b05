// Hostile bytes against a live broker, while a healthy client goes on: its records stay whole and in order, the process
// stays, its memory and the stalls of its event loop stay within bounds, and nothing fails that was not refused.
//   hostile.js [--count 2000] [--seed 1] [--port 30192] [--only WORDS] [--memory]
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { dice } from '../../src/protocol/hostile-frames.ts'
import { CreateTopics } from '../../src/protocol/messages/create-topics.ts'
import { Fetch } from '../../src/protocol/messages/fetch.ts'
import { Produce } from '../../src/protocol/messages/produce.ts'
import { batch, fetchRequest, produceRequest, valuesOf } from '../broker/requests.ts'
import { Wire } from '../broker/wire.ts'
import { root } from '../clients/programs.ts'
import { attacks } from './hostile-attacks.ts'
import type { Sight } from './hostile-watch.ts'

/** Bytes; ms of the processor's time. */
const mostGrowth = 200 * 1024 * 1024
const longestStall = 150

const { values: options } = parseArgs({
  options: {
    count: { type: 'string', default: '2000' },
    seed: { type: 'string', default: '1' },
    port: { type: 'string', default: '30192' },
    only: { type: 'string', default: '' },
    memory: { type: 'boolean', default: false },
  },
})
const port = Number(options.port)
const folder = mkdtempSync(join(tmpdir(), 'ottla-hostile-'))
const log = join(folder, 'log')
const failures: string[] = []

function startBroker(): ChildProcess {
  const output = openSync(log, 'a')
  const watch = fileURLToPath(new URL('hostile-watch.js', import.meta.url))
  const data = options.memory ? ['--memory'] : ['--data', join(folder, 'data')]
  const words = ['--import', watch, join(root, 'bin/ottla.js'), 'start', '--port', options.port, ...data]
  return spawn(process.execPath, words, { stdio: ['ignore', output, output, 'ipc'] })
}

/** What the process sees of itself since the last time. */
function look(broker: ChildProcess): Promise<Sight> {
  return new Promise((resolve, reject) => {
    broker.once('message', sight => resolve(sight as Sight))
    broker.send('look', error => error && reject(error))
  })
}

/** Numbers go in, one at a time, and must come out the same. */
class Healthy {
  #stopped = false
  #written = 0
  #read = 0
  slowestMs = 0
  readonly done: Promise<unknown>

  constructor(writer: Wire, reader: Wire) {
    this.done = Promise.all([this.#write(writer), this.#readAll(reader)])
    this.done.catch(error => failures.push(`the healthy client: ${error}`))
  }

  get count(): number {
    return this.#read
  }

  stop(): Promise<unknown> {
    this.#stopped = true
    return this.done
  }

  async #write(wire: Wire): Promise<void> {
    while (!this.#stopped) {
      const began = performance.now()
      const values = Array.from({ length: 10 }, (_, i) => `${this.#written + i}`)
      const { responses } = await wire.ask(Produce, 9, produceRequest('healthy', batch(values)))
      const { errorCode, baseOffset } = responses[0]!.partitionResponses[0]!
      if (errorCode !== 0 || baseOffset !== this.#written) throw new Error(`error ${errorCode} at ${baseOffset}`)
      this.#written += values.length
      this.slowestMs = Math.max(this.slowestMs, performance.now() - began)
      await sleep(5)
    }
  }

  async #readAll(wire: Wire): Promise<void> {
    while (!this.#stopped || this.#read < this.#written) {
      const request = fetchRequest([{ topic: 'healthy', offset: this.#read }], { maxWaitMs: 100 })
      const { responses } = await wire.ask(Fetch, 12, request)
      for (const value of valuesOf(responses[0]!.partitions[0]!.records)) {
        if (value !== `${this.#read}`) throw new Error(`${value} at ${this.#read}`)
        this.#read++
      }
    }
  }
}

async function connect(): Promise<Wire> {
  for (let tries = 0; ; tries++) {
    try {
      return await Wire.open(port)
    } catch (error) {
      if (tries > 200) throw error
      await sleep(50)
    }
  }
}

const broker = startBroker()
let gone = false
broker.once('exit', (code, signal) => {
  gone = true
  if (code !== 0) failures.push(`the broker ended: ${code ?? signal}`)
})
process.on('exit', () => broker.kill('SIGKILL'))

const maker = await connect()
const topics = [{ name: 'healthy', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }]
await maker.ask(CreateTopics, 7, { topics })
const healthy = new Healthy(await connect(), await connect())
await sleep(300)
const roll = dice(Number(options.seed))
const { rss: atFirst } = await look(broker)
console.log(
  `${'attack'.padEnd(70)}${'seconds'.padStart(8)}${'stall ms'.padStart(10)}${'RSS MB'.padStart(8)}${'grown'.padStart(7)}`,
)
for (const { name, run, growth = mostGrowth, stall = longestStall } of attacks) {
  if (gone || !name.includes(options.only)) continue
  const before = await look(broker)
  const began = performance.now()
  let most = before.rss
  let longest = 0
  let attacking = true
  const watching = (async () => {
    for (; attacking && !gone; await sleep(100)) {
      const { rss, stallMs } = await look(broker)
      most = Math.max(most, rss)
      longest = Math.max(longest, stallMs)
    }
  })().catch(() => {})
  await run({ port, roll, count: Number(options.count) }).catch(error => failures.push(`${name}: ${error}`))
  attacking = false
  await sleep(100)
  if (!gone) await watching
  if (gone) break
  const { rss, stallMs } = await look(broker)
  most = Math.max(most, rss)
  longest = Math.max(longest, stallMs)
  const seconds = (performance.now() - began) / 1000
  const grown = most - before.rss
  console.log(
    name.padEnd(70) +
      seconds.toFixed(1).padStart(8) +
      longest.toFixed(0).padStart(10) +
      (most / 1e6).toFixed(0).padStart(8) +
      (grown / 1e6).toFixed(0).padStart(7),
  )
  if (grown > growth) failures.push(`${name}: memory grew by ${(grown / 1e6).toFixed(0)} MB`)
  if (longest > stall) failures.push(`${name}: the event loop stood still for ${longest.toFixed(0)} ms`)
}
if (!gone) {
  await healthy.stop().catch(() => {})
  const { rss } = await look(broker)
  console.log(
    `healthy: ${healthy.count} records, slowest answer ${healthy.slowestMs.toFixed(0)} ms; ${((rss - atFirst) / 1e6).toFixed(0)} MB more than at first`,
  )
  const ended = new Promise(resolve => broker.once('exit', resolve))
  maker.close()
  broker.kill('SIGTERM')
  await Promise.race([ended, sleep(15_000).then(() => failures.push('the broker did not end'))])
}
const unexpected = readFileSync(log, 'utf8')
  .split('\n')
  .filter(line => /unexpected|unhandled|"level":"error"/i.test(line))
for (const line of [...new Set(unexpected)].slice(0, 20)) failures.push(line)
for (const failure of failures) console.log(`FAILED ${failure}`)
if (failures.length === 0) rmSync(folder, { recursive: true, force: true })
else console.log(`everything is in ${folder}`)
process.exit(failures.length === 0 ? 0 : 1)
