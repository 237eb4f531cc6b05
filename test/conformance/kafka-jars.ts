import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/**
 * The releases that together know every version of every message. The first that has a version decides about it:
 * 4.0 dropped old versions (KIP-896), and 4.1 replaced the early-access share group APIs.
 */
export const RELEASES = ['4.4.0', '4.0.1', '3.9.2'] as const
export type Release = (typeof RELEASES)[number]

const SLF4J = '1.7.36'

export const cache = process.env.OTTLA_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'ottla')

/** Why these tests cannot run here, or null. */
export function missing(): string | null {
  for (const [tool, option] of [
    ['java', '-version'],
    ['mvn', '-v'],
    ['unzip', '-v'],
  ] as const) {
    if (spawnSync(tool, [option], { stdio: 'ignore' }).status !== 0) return `${tool} is not installed`
  }
  return null
}

/** Path of an artifact from Maven Central, fetched once into the cache. */
function artifact(group: string, name: string, version: string): string {
  const directory = join(cache, 'jars')
  const path = join(directory, `${name}-${version}.jar`)
  if (existsSync(path)) return path
  mkdirSync(directory, { recursive: true })
  const coordinates = `-Dartifact=${group}:${name}:${version}`
  const mvn = spawnSync('mvn', ['-q', '-B', 'dependency:copy', coordinates, `-DoutputDirectory=${directory}`], {
    stdio: 'inherit',
  })
  if (mvn.status !== 0 || !existsSync(path)) throw new Error(`mvn could not fetch ${name} ${version}`)
  return path
}

export function kafkaClients(release: Release): string {
  return artifact('org.apache.kafka', 'kafka-clients', release)
}

/** Where the records of the cluster's metadata are defined. */
export function kafkaMetadata(release: Release): string {
  return artifact('org.apache.kafka', 'kafka-metadata', release)
}

export function classPath(release: Release): string {
  return [kafkaClients(release), artifact('org.slf4j', 'slf4j-api', SLF4J)].join(':')
}

/** A file inside of a jar, or all that match a pattern, one after another. */
export function unzip(jar: string, pattern: string): string {
  const run = spawnSync('unzip', ['-p', jar, pattern], { encoding: 'utf8', maxBuffer: 1 << 28 })
  if (run.status !== 0) throw new Error(`unzip ${jar}: ${run.stderr}`)
  return run.stdout
}
