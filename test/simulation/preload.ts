import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { servedApis } from '../../src/broker/served.ts'

/**
 * Loads everything that the broker would load when it needs it: reading files takes real time, and answers in an order that
 * no seed knows. What is loaded already comes back in the same turn.
 */
export async function preload(): Promise<void> {
  const source = new URL('../../src/', import.meta.url).pathname
  for (const path of modulesIn(source)) await import(pathToFileURL(path).href)
  for (const served of servedApis) await served.load()
}

function* modulesIn(folder: string): Iterable<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) {
      if (entry.name !== 'cli') yield* modulesIn(path)
    } else if (/\.js$/.test(entry.name) && !/\.(test|kit|data)\./.test(entry.name) && !notLoaded.has(entry.name))
      yield path
  }
}

/** Tests' own parts that are no modules of the broker. */
const notLoaded = new Set(['contract.js'])
