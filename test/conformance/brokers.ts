import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CreateTopics } from '../../src/protocol/messages/create-topics.ts'
import { RawClient } from './raw-client.ts'

/** Brokers whose answers are compared: Apache Kafka, and us. */
export interface Broker {
  readonly host: string
  readonly port: number
  stop(): void
}

/** `key=value` of each. */
type Settings = Readonly<Record<string, string | number>>

const root = fileURLToPath(new URL('../../../', import.meta.url))
const scripts = join(root, 'test/peers/kafka')
const host = '127.0.0.1'

/** One that runs already, at `host:port`, and goes on. */
export function running(bootstrap: string): Broker {
  const [host = '127.0.0.1', port = '9092'] = bootstrap.split(':')
  return { host, port: Number(port), stop() {} }
}

/** In a directory that goes with it. Serves when this returns. */
export function startKafka(port: number, settings: Settings = {}): Broker {
  const directory = mkdtempSync(join(tmpdir(), 'ottla-peer-'))
  const lines = Object.entries(settings).map(([key, value]) => `${key}=${value}`)
  const args = ['--port', String(port), '--dir', directory, '--', ...lines]
  const env = { ...process.env, KAFKA_HEAP_OPTS: '-Xmx512M -Xms128M' }
  execFileSync(join(scripts, 'start.sh'), args, { stdio: 'ignore', env })
  const stop = (): void => {
    execFileSync(join(scripts, 'stop.sh'), [directory], { stdio: 'ignore' })
    rmSync(directory, { recursive: true, force: true })
  }
  return { host, port, stop }
}

/** In memory. Serves when fulfilled. */
export async function startOurs(port: number, settings: Settings = {}): Promise<Broker> {
  const set = Object.entries(settings).flatMap(([key, value]) => ['--set', `${key}=${value}`])
  const args = [join(root, 'bin/ottla.js'), 'start', '--port', String(port), '--memory', ...set]
  const child = spawn(process.execPath, args, { stdio: 'ignore' })
  for (let tries = 0; tries < 200; tries++) {
    const client = new RawClient(host, port)
    const answer = await client.send(CreateTopics, 5, { topics: [] })
    client.close()
    if (answer !== null) break
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  return { host, port, stop: () => void child.kill('SIGTERM') }
}
