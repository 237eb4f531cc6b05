import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { Cluster } from '../../src/client/cluster.ts'
import { resolveConfig } from '../../src/config/sources.ts'
import { type RunningNode, startNode } from '../../src/node.ts'
import { KafkaError } from '../../src/protocol/errors.ts'
import { type Logger, silent } from '../../src/world/logger.ts'
import { nodeWorld as world } from '../../src/world/node.ts'
import type { World } from '../../src/world/world.ts'

export { freePort } from '../free-port.ts'

export type Settings = Readonly<Record<string, string | number | boolean>>

/** A node on its own, in memory and at any free port unless `settings` say otherwise. */
export function startOne(settings: Settings = {}, logger: Logger = silent, at: World = world): Promise<RunningNode> {
  const all = { host: '127.0.0.1', port: 0, data: 'memory', 'offsets.topic.num.partitions': 1, ...settings }
  const flags = Object.entries(all).map(([name, value]) => ({ name, value: String(value), origin: name }))
  return startNode({ config: resolveConfig({ flags }), world: at, logger })
}

/** A client that knows all of these `host:port`, and gives up after ten seconds. */
export function clientOf(bootstrap: string): Cluster {
  const addresses = bootstrap.split(',').map(text => {
    const [host = '', port = ''] = text.split(':')
    return { host, port: Number(port) }
  })
  return new Cluster(world, { bootstrap: addresses, retryBackoffMs: 20, retryBackoffMaxMs: 100, apiTimeoutMs: 10_000 })
}

/** Tries again until `look` does not throw; fails with its last error. */
export async function eventually<T>(look: () => Promise<T> | T, withinMs = 10_000): Promise<T> {
  const until = performance.now() + withinMs
  for (;;) {
    try {
      return await look()
    } catch (error) {
      if (performance.now() > until) throw error
      await sleep(20)
    }
  }
}

export const nameOf = (error: unknown): string => (error instanceof KafkaError ? error.errorName : String(error))

/** What was logged, to look into. */
export class LogLines implements Logger {
  readonly lines: string[] = []
  #add(level: string, message: string, fields?: Record<string, unknown>): void {
    this.lines.push(`${level} ${message} ${JSON.stringify(fields ?? {})}`)
  }

  debug(): void {}
  info(message: string, fields?: Record<string, unknown>): void {
    this.#add('info', message, fields)
  }

  warn(message: string, fields?: Record<string, unknown>): void {
    this.#add('warn', message, fields)
  }

  error(message: string, fields?: Record<string, unknown>): void {
    this.#add('error', message, fields)
  }

  match(pattern: RegExp): void {
    assert.ok(
      this.lines.some(line => pattern.test(line)),
      `no line is like ${pattern}:\n${this.lines.join('\n')}`,
    )
  }
}
