import { type Broker, Ottla, type OttlaOptions } from '../brokers.ts'
import { createTopic } from '../wire.ts'
import type { Door, Workers } from './doors.ts'
import { questionBytes } from './line.ts'

/** As many as push single records. */
const workers = 64

/** Our own: the broker's port. */
export class OttlaDoor implements Door {
  readonly port: number
  readonly #broker: Broker

  constructor(options: OttlaOptions) {
    this.port = options.port
    this.#broker = new Ottla(options)
  }

  pids(): readonly number[] {
    return [this.#broker.pid()]
  }

  async start(): Promise<void> {
    await this.#broker.start()
  }

  stop(): Promise<void> {
    return this.#broker.stop()
  }

  createTopic(topic: string, partitions: number): Promise<void> {
    return createTopic(this.port, topic, partitions)
  }

  push(topic: string, records: readonly string[]): Buffer {
    const body = records.length === 1 ? records[0]! : `{"records":[${records.join(',')}]}`
    return questionBytes({ method: 'POST', path: `/topics/${topic}/records`, body })
  }

  async pull(topic: string): Promise<Workers> {
    const pull = questionBytes({ method: 'POST', path: `/topics/${topic}/pull?group=workers&waitMs=1000` })
    return {
      count: workers,
      job: () => async ask => {
        const { body } = await ask(pull)
        const lease = leaseIn(body)
        if (lease === null) return 0
        await ask(`POST /topics/${topic}/leases/${lease}/ack HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n`)
        return 1
      },
      close: () => Promise.resolve(),
    }
  }
}

const mark = '"leaseId":"'

/** Without the price of JSON, which is not what is measured here. */
function leaseIn(body: Buffer): string | null {
  const at = body.indexOf(mark)
  return at < 0 ? null : body.toString('latin1', at + mark.length, body.indexOf('"', at + mark.length))
}
