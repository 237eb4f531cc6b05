// What one broker takes over HTTP: single records, batches and lines of 1 KiB, as fast as it goes and at half of that.
// The machine may have other work; so each rate stands beside the CPU time that the broker spent for it.
//   node dist/bench/http.js [--seconds 5] [--connections 64] [--only single|batch|lines] [--flush os|ack] [--port 29990]
//   node dist/bench/http.js --running PORT --pid PID ...   measures a broker that runs already
import { connect, type Socket } from 'node:net'
import { loadavg } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Ottla } from './brokers.ts'
import { removeFolder, root, temporaryFolder } from './place.ts'
import { cpuSeconds, residentMiB } from './proc.ts'

interface Load {
  readonly name: string
  readonly type: string
  readonly body: string
  readonly records: number
}

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '5' },
    connections: { type: 'string', default: '64' },
    only: { type: 'string', default: '' },
    flush: { type: 'string', default: 'os' },
    port: { type: 'string', default: '29990' },
    running: { type: 'string' },
    pid: { type: 'string' },
    partitions: { type: 'string', default: '4' },
    ottla: { type: 'string', default: root },
  },
})

const recordBytes = 1024
const batchRecords = 500

/** Text that no compression would shrink to nothing, with an escape now and then as real JSON has. */
function record(index: number): string {
  let text = `"${index}" `
  while (text.length < recordBytes) text += `${((index * 7919 + text.length * 104729) % 0xffffff).toString(36)} `
  return JSON.stringify({ key: `key-${index % 1000}`, value: text.slice(0, recordBytes) })
}

const batch = Array.from({ length: batchRecords }, (_, i) => record(i))
const loads: readonly Load[] = [
  { name: 'single', type: 'application/json', body: record(0), records: 1 },
  { name: 'batch', type: 'application/json', body: `{"records":[${batch.join(',')}]}`, records: batchRecords },
  { name: 'lines', type: 'application/x-ndjson', body: batch.join('\n'), records: batchRecords },
]

/** One connection, one request at a time: HTTP/1.1 by hand, so that the client does not cost more than the broker. */
class Line {
  readonly #socket: Socket
  #head: Buffer = Buffer.alloc(0)
  #missing = -1
  #status = 0
  #answered: (status: number) => void = () => {}

  constructor(port: number) {
    this.#socket = connect(port, '127.0.0.1').setNoDelay(true)
    this.#socket.on('data', (chunk: Buffer) => this.#receive(chunk))
    this.#socket.on('close', () => this.#answered(0))
    this.#socket.on('error', () => {})
  }

  ask(request: Buffer): Promise<number> {
    this.#socket.write(request)
    return new Promise(resolve => {
      this.#answered = resolve
    })
  }

  close(): void {
    this.#socket.destroy()
  }

  #receive(chunk: Buffer): void {
    if (this.#missing >= 0) {
      this.#missing -= chunk.length
    } else {
      this.#head = this.#head.length === 0 ? chunk : Buffer.concat([this.#head, chunk])
      const end = this.#head.indexOf('\r\n\r\n')
      if (end < 0) return
      const head = this.#head.toString('latin1', 0, end)
      this.#status = Number(head.slice(9, 12))
      this.#missing = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0) - (this.#head.length - end - 4)
      this.#head = Buffer.alloc(0)
    }
    if (this.#missing > 0) return
    this.#missing = -1
    this.#answered(this.#status)
  }
}

function requestFor({ type, body }: Load, topic: string): Buffer {
  const head = [
    `POST /topics/${topic}/records HTTP/1.1`,
    'Host: localhost',
    `Content-Type: ${type}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
  ]
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`)
}

interface Result {
  readonly requests: number
  readonly seconds: number
  readonly brokerCpu: number
  /** ms, sorted. */
  readonly latencies: Float64Array
  readonly refused: number
}

/** `rate`: requests a second in all, from a clock that does not wait for answers; null: as many as the connections give. */
async function drive(
  port: number,
  pid: number,
  request: Buffer,
  connections: number,
  ms: number,
  rate: number | null,
): Promise<Result> {
  const lines = Array.from({ length: connections }, () => new Line(port))
  const latencies: number[] = []
  let refused = 0
  const cpu = cpuSeconds(pid)
  const from = performance.now()
  const until = from + ms
  let due = 0
  const work = async (line: Line) => {
    for (;;) {
      const turn = due++
      const begin = rate === null ? performance.now() : from + (turn / rate) * 1000
      if (begin >= until || performance.now() >= until) return
      const early = begin - performance.now()
      if (early > 0) await sleep(early)
      const status = await line.ask(request)
      if (status !== 200) refused++
      if (status === 0) return
      latencies.push(performance.now() - begin)
    }
  }
  await Promise.all(lines.map(work))
  const seconds = (performance.now() - from) / 1000
  const brokerCpu = cpuSeconds(pid) - cpu
  for (const line of lines) line.close()
  return { requests: latencies.length, seconds, brokerCpu, latencies: Float64Array.from(latencies).sort(), refused }
}

const percentile = (sorted: Float64Array, part: number) =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0

function show(name: string, records: number, result: Result): void {
  const { requests, seconds, brokerCpu, latencies, refused } = result
  const all = requests * records
  console.log(
    [
      name.padEnd(12),
      `${Math.round(all / seconds)} records/s`.padStart(18),
      `${Math.round(all / brokerCpu)} per CPU second`.padStart(24),
      `${Math.round((brokerCpu / seconds) * 100)} % CPU`.padStart(10),
      `p50 ${percentile(latencies, 0.5).toFixed(2)}  p99 ${percentile(latencies, 0.99).toFixed(2)} ms`,
      refused > 0 ? `${refused} refused` : '',
    ].join('  '),
  )
}

async function measure(port: number, pid: number): Promise<void> {
  const connections = Number(options.connections)
  const ms = Number(options.seconds) * 1000
  for (const load of loads.filter(({ name }) => name.startsWith(options.only))) {
    const topic = `http-${load.name}-${process.pid}`
    const made = await fetch(`http://127.0.0.1:${port}/topics`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: topic, partitions: Number(options.partitions) }),
    })
    if (!made.ok) throw new Error(`no topic: ${await made.text()}`)
    const request = requestFor(load, topic)
    const many = load.records === 1 ? connections : Math.min(connections, 8)
    await drive(port, pid, request, many, 2000, null)
    const full = await drive(port, pid, request, many, ms, null)
    show(load.name, load.records, full)
    const half = full.requests / full.seconds / 2
    show(`${load.name}, half`, load.records, await drive(port, pid, request, many, ms, half))
  }
  console.log(`resident: ${Math.round(residentMiB(pid).now)} MiB; load of the machine: ${loadavg()[0]?.toFixed(1)}`)
}

if (options.running !== undefined) {
  await measure(Number(options.running), Number(options.pid ?? process.pid))
} else {
  const folder = temporaryFolder('http')
  const flush = options.flush === 'ack' ? 'ack' : 'os'
  const broker = new Ottla({ root: options.ottla, port: Number(options.port), folder, flush })
  await broker.start()
  try {
    await measure(broker.port, broker.pid())
  } finally {
    await broker.stop()
    removeFolder(folder)
  }
}
