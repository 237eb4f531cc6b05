/** Versions as Kafka writes them: `0+`, `2-5`, `3`. */
export type Versions = `${number}+` | `${number}-${number}` | `${number}`

/** A closed range; `max` is Infinity for "and later". */
export interface VersionRange {
  readonly min: number
  readonly max: number
}

/** A range that no version is in. */
export const NO_VERSION: VersionRange = { min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY }
export const EVERY_VERSION: VersionRange = { min: 0, max: Number.POSITIVE_INFINITY }

const known = new Map<string, VersionRange>()

export function parseVersions(text: Versions | 'none'): VersionRange {
  let range = known.get(text)
  if (range === undefined) {
    range = parse(text)
    known.set(text, range)
  }
  return range
}

function parse(text: string): VersionRange {
  if (text === 'none') return NO_VERSION
  const match = /^(\d+)(?:(\+)|-(\d+))?$/.exec(text)
  if (match === null) throw new RangeError(`not a version range: ${text}`)
  const min = Number(match[1])
  if (match[2] !== undefined) return { min, max: Number.POSITIVE_INFINITY }
  return { min, max: match[3] === undefined ? min : Number(match[3]) }
}

export function includes(range: VersionRange, version: number): boolean {
  return version >= range.min && version <= range.max
}
