import assert from 'node:assert/strict'
import { Admin } from '../../src/client/admin.ts'
import type { Cluster } from '../../src/client/cluster.ts'
import { type RunningOttla, scratch, startOttla } from '../cli/processes.ts'
import { clientOf, eventually, freePort } from './kit.ts'

/** Nodes 1, 2 and 3 of a cluster, each a process that can be killed. */
export class ThreeProcesses {
  readonly ids = [1, 2, 3]
  readonly ports: number[] = []
  readonly #env: Readonly<Record<string, string>>
  readonly #place = scratch()
  readonly #running = new Map<number, RunningOttla>()
  #client: Cluster | null = null

  /** `env`: settings of all of them, as variables of their environment. */
  constructor(env: Readonly<Record<string, string>> = {}) {
    this.#env = env
  }

  /** All of them, with empty folders. */
  async start(): Promise<void> {
    for (const _ of this.ids) this.ports.push(await freePort())
    const join = ['--join', `127.0.0.1:${this.ports[0]}`]
    await Promise.all(this.ids.map(id => this.restart(id, id > 1 ? join : [])))
    this.#client = clientOf(this.ports.map(port => `127.0.0.1:${port}`).join(','))
  }

  /** One that does not run, with what it has in its folder. */
  async restart(id: number, more: readonly string[] = []): Promise<void> {
    const folder = `${this.#place.path}/${id}`
    const args = ['start', '--port', String(this.ports[id - 1]), '--data', folder, '--set', `node.id=${id}`, ...more]
    const env = {
      OTTLA_TOKEN: 'ottla_a-secret-for-three-processes',
      OTTLA_QUORUM_VOTER_PROBATION_MS: '0',
      ...this.#env,
    }
    this.#running.set(id, await startOttla(args, { env }))
  }

  /** kill -9. */
  async kill(id: number): Promise<void> {
    await this.#running.get(id)?.stop('SIGKILL')
  }

  get client(): Cluster {
    assert.ok(this.#client !== null)
    return this.#client
  }

  /** A topic of three partitions at all three nodes, of which two have what is acknowledged. */
  async createTopic(name: string): Promise<void> {
    const configs = { 'min.insync.replicas': '2' }
    await new Admin(this.client).createTopics([{ name, partitions: 3, replicationFactor: 3, configs }])
  }

  /** Resolves when every partition has a leader, and all nodes are in sync. */
  whole(topic: string): Promise<void> {
    return eventually(async () => {
      const { topics } = await this.client.metadata([topic])
      const partitions = topics[0]?.partitions ?? []
      assert.ok(partitions.length > 0 && partitions.every(each => each.leaderId >= 0 && each.isr.length === 3))
    }, 60_000)
  }

  async close(): Promise<void> {
    this.#client?.close()
    for (const process of [...this.#running.values()].reverse()) await process.stop()
    this.#place.remove()
  }
}
