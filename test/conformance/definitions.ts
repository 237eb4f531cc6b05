import type { Release } from './kafka-jars.ts'
import { kafkaClients, RELEASES, unzip } from './kafka-jars.ts'
import { renamed } from './messages.ts'

/** A message as Kafka defines it, in JSON inside of its jars. */
export interface Definition {
  readonly name: string
  readonly type: 'request' | 'response' | 'header' | 'data' | 'metadata'
  readonly apiKey?: number
  readonly validVersions: string
  readonly flexibleVersions?: string
  readonly fields?: readonly FieldDefinition[]
  readonly commonStructs?: readonly { readonly name: string; readonly fields: readonly FieldDefinition[] }[]
}

export interface FieldDefinition {
  readonly name: string
  readonly type: string
  readonly versions: string
  readonly nullableVersions?: string
  readonly taggedVersions?: string
  readonly tag?: number
  readonly default?: string | boolean | number
  readonly ignorable?: boolean
  readonly fields?: readonly FieldDefinition[]
}

export function definitions(release: Release): Definition[] {
  return definitionsIn(kafkaClients(release), 'common/message/*.json')
}

export function definitionsIn(jar: string, files: string): Definition[] {
  // The files come one after another; each is one object, with comments on lines of their own. Some end without a newline.
  const text = unzip(jar, files)
  return text
    .replace(/^\}(?=\/\/)/gm, '}\n')
    .replace(/^\s*\/\/.*$/gm, '')
    .split(/^(?=\{)/m)
    .filter(part => part.trim() !== '')
    .map(part => JSON.parse(part) as Definition)
}

export function inVersions(range: string | undefined, version: number): boolean {
  if (range === undefined || range === 'none') return false
  const [from, to] = range.endsWith('+') ? [range.slice(0, -1), 'Infinity'] : range.split('-')
  return version >= Number(from) && version <= Number(to ?? from)
}

export interface Decided {
  readonly release: Release
  readonly definition: Definition
  readonly version: number
}

/** For every message and version there ever was: the newest release that still has it. */
export function decidedVersions(): Map<string, Decided[]> {
  const decided = new Map<string, Decided[]>()
  for (const release of RELEASES) {
    for (const definition of definitions(release)) {
      const name = renamed(definition.name)
      const known = decided.get(name) ?? []
      decided.set(name, known)
      for (let version = 0; version < 100; version++) {
        if (!inVersions(definition.validVersions, version)) continue
        if (!known.some(other => other.version === version)) known.push({ release, definition, version })
      }
      if (known.length === 0) decided.delete(name)
    }
  }
  return decided
}
