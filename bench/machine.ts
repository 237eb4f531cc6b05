import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, loadavg, release, totalmem } from 'node:os'
import { join } from 'node:path'

/** What the figures depend on, beside the two brokers. */
export interface Machine {
  readonly cores: number
  readonly cpu: string
  readonly memoryGiB: number
  readonly kernel: string
  readonly system: string
  readonly node: string
  readonly java: string
  readonly kafka: string
  readonly ottla: string
  readonly date: string
  /** Of the minute before the run: a busy machine explains odd figures. */
  readonly loadBefore: number
}

/** With the ottla of this checkout, and the Kafka that the scripts of test/peers/kafka install. */
export function describeMachine(ottlaRoot: string): Machine {
  const { version } = JSON.parse(readFileSync(join(ottlaRoot, 'package.json'), 'utf8')) as { version: string }
  return {
    cores: cpus().length,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    system: firstOf(() => /^PRETTY_NAME="(.*)"$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1]),
    node: process.version,
    java: firstOf(() => /version "([^"]+)"/.exec(javaVersion())?.[1]),
    kafka: process.env.KAFKA_VERSION ?? '4.3.1',
    ottla: version,
    date: new Date().toISOString(),
    loadBefore: Math.round(loadavg()[0]! * 100) / 100,
  }
}

function javaVersion(): string {
  const java = process.env.JAVA_HOME === undefined ? 'java' : `${process.env.JAVA_HOME}/bin/java`
  return execFileSync('sh', ['-c', '"$0" -version 2>&1', java], { encoding: 'utf8' })
}

function firstOf(find: () => string | undefined): string {
  try {
    return find() ?? 'unknown'
  } catch {
    return 'unknown'
  }
}
