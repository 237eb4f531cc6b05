import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Kafka } from '../brokers.ts'
import { run } from '../command.ts'
import { adopt, release, root } from '../place.ts'
import { running } from '../proc.ts'
import { createTopic } from '../wire.ts'
import type { Door, Workers } from './doors.ts'
import { type Answer, Line, type Question, questionBytes } from './line.ts'

export interface ProxyOptions {
  /** Its folder in test/peers. */
  readonly name: string
  readonly port: number
  readonly kafkaPort: number
  readonly folder: string
  /** More for the body that makes a consumer. */
  readonly consumer: Readonly<Record<string, unknown>>
  /** The query of a poll for one record. */
  readonly poll: string
}

const startLimitMs = 120_000
const awakeLimitMs = 60_000
const json = 'application/vnd.kafka.json.v2+json'
const plain = 'application/vnd.kafka.v2+json'

/** A proxy that speaks version 2 of the Kafka REST Proxy's interface, with a broker of Apache Kafka behind it. */
export class ProxyDoor implements Door {
  readonly port: number
  readonly #options: ProxyOptions
  readonly #kafka: Kafka
  #pid = 0
  #groups = 0

  constructor(options: ProxyOptions) {
    this.port = options.port
    this.#options = options
    this.#kafka = new Kafka({ port: options.kafkaPort, folder: join(options.folder, 'kafka'), settings: [] })
  }

  pids(): readonly number[] {
    return [this.#pid, this.#kafka.pid()]
  }

  async start(): Promise<void> {
    await this.#kafka.start()
    const { name, port, folder } = this.#options
    const words = ['--port', String(port), '--bootstrap', this.#kafka.bootstrap, '--dir', join(folder, name)]
    const text = await run(join(root, 'test/peers', name, 'start.sh'), words, { timeoutMs: startLimitMs })
    this.#pid = Number(/^pids=(\d+)$/m.exec(text)?.[1])
    adopt(this.#pid)
  }

  async stop(): Promise<void> {
    if (this.#pid > 0) {
      process.kill(this.#pid, 'SIGKILL')
      while (running(this.#pid)) await sleep(10)
      release(this.#pid)
    }
    if (this.#kafka.pid() > 0) await this.#kafka.stop()
  }

  createTopic(topic: string, partitions: number): Promise<void> {
    return createTopic(this.#kafka.port, topic, partitions)
  }

  push(topic: string, records: readonly string[]): Buffer {
    const body = `{"records":[${records.join(',')}]}`
    return questionBytes({ method: 'POST', path: `/topics/${topic}`, type: json, accept: plain, body })
  }

  /** A worker is a consumer instance; as many of them as partitions, so that each gets one. */
  async pull(topic: string, partitions: number): Promise<Workers> {
    const workers = partitions
    const group = `workers-${++this.#groups}`
    const instance = (worker: number) => `/consumers/${group}/instances/c${worker}`
    const line = new Line(this.port)
    for (let worker = 0; worker < workers; worker++) {
      const body = { name: `c${worker}`, format: 'json', 'auto.offset.reset': 'earliest', ...this.#options.consumer }
      await post(line, `/consumers/${group}`, body)
      await post(line, `${instance(worker)}/subscription`, { topics: [topic] })
    }
    const poll = (worker: number) =>
      questionBytes({ method: 'GET', path: `${instance(worker)}/records?${this.#options.poll}`, accept: json })
    // Together: the group waits for each of them.
    await Promise.all(Array.from({ length: workers }, (_, worker) => untilAwake(this.port, poll(worker))))
    return {
      count: workers,
      job: worker => {
        const polling = poll(worker)
        const done: Question = { method: 'POST', path: `${instance(worker)}/offsets`, type: plain, accept: plain }
        const commit = questionBytes({ ...done, body: '{}' })
        return async ask => {
          const { body } = await ask(polling)
          const records = countIn(body)
          if (records > 0) await ask(commit)
          return records
        }
      },
      close: async () => {
        for (let worker = 0; worker < workers; worker++)
          await line.ask(
            questionBytes({ method: 'DELETE', path: instance(worker), type: plain, accept: plain, body: '' }),
          )
        line.close()
      },
    }
  }
}

/** A consumer's first polls may find nothing, or no coordinator yet. */
async function untilAwake(port: number, poll: Buffer): Promise<void> {
  const line = new Line(port)
  for (const end = performance.now() + awakeLimitMs; performance.now() < end; await sleep(100)) {
    const { status, body } = await line.ask(poll)
    if (status !== 200 || countIn(body) === 0) continue
    line.close()
    return
  }
  throw new Error('a consumer of the proxy gets no records')
}

async function post(line: Line, path: string, body: unknown): Promise<Answer> {
  const question: Question = { method: 'POST', path, type: plain, accept: plain, body: JSON.stringify(body) }
  const answer = await line.ask(questionBytes(question))
  if (answer.status < 200 || answer.status > 299) throw new Error(`POST ${path}: ${answer.status} ${answer.body}`)
  return answer
}

/** Records of a poll's answer: each has one offset. */
function countIn(body: Buffer): number {
  let count = 0
  for (let at = body.indexOf('"offset"'); at >= 0; at = body.indexOf('"offset"', at + 1)) count++
  return count
}
