/**
 * The language in which settings are declared: a setting is a value that knows its type, default, range, whether it may
 * change at run time, and what ottla does with it. Names, types, defaults and ranges are Apache Kafka 4.4's.
 */

export type ConfigType = 'boolean' | 'int' | 'short' | 'long' | 'double' | 'string' | 'list' | 'class' | 'password'

/**
 * - `honoured`: does what Kafka says it does.
 * - `read-only`: one value is in force and shown; another one is refused where pretending would harm, else warned about.
 * - `ignored`: accepted, kept and shown, without effect, because ottla has nothing that it could tune.
 */
export type Status = 'honoured' | 'read-only' | 'ignored'

/** Where Kafka lets a broker setting change at run time: for all brokers at once, for each by itself too, or never. */
export type UpdateMode = 'cluster-wide' | 'per-broker' | 'never'

/** A rule that a parsed value must obey. `describe` completes "must be …". */
export interface Valid {
  readonly describe: string
  /** A sentence that says what is wrong, or null. */
  check(value: Parsed): string | null
}

export type Parsed = boolean | number | bigint | string | readonly string[] | null

interface Facts {
  readonly type: ConfigType
  readonly default: string | null
  readonly valid: Valid | null
  readonly status: Status
  readonly doc: string
  readonly update: UpdateMode
  readonly internal: boolean
  readonly strict: boolean
}

/** One setting. `Value` is what reading it gives: number, boolean, string, list, or null where it may be unset. */
export class Setting<Value> {
  declare readonly '~value': Value
  readonly type: ConfigType
  /** In the spelling that Kafka prints; null: unset. */
  readonly default: string | null
  readonly valid: Valid | null
  readonly status: Status
  /** One line: what it does, or why it is read-only or ignored. */
  readonly doc: string
  readonly update: UpdateMode
  /** Kafka neither documents nor lists it, but takes it. */
  readonly internal: boolean
  /** Read-only in earnest: another value stops the start, because running on without it would be a lie. */
  readonly strict: boolean

  constructor(facts: Facts) {
    this.type = facts.type
    this.default = facts.default
    this.valid = facts.valid
    this.status = facts.status
    this.doc = facts.doc
    this.update = facts.update
    this.internal = facts.internal
    this.strict = facts.strict
  }

  honoured(doc: string): Setting<Value> {
    return new Setting({ ...this, status: 'honoured', doc })
  }

  /** Accepted without effect; `reason` says why. */
  ignored(reason: string): Setting<Value> {
    return new Setting({ ...this, status: 'ignored', doc: reason })
  }

  /** Only the default is in force; `reason` says why. Another value is reported and passed over. */
  readOnly(reason: string): Setting<Value> {
    return new Setting({ ...this, status: 'read-only', doc: reason })
  }

  /** As `readOnly`, but another value is an error. */
  only(reason: string): Setting<Value> {
    return new Setting({ ...this, status: 'read-only', doc: reason, strict: true })
  }

  clusterWide(): Setting<Value> {
    return new Setting({ ...this, update: 'cluster-wide' })
  }

  perBroker(): Setting<Value> {
    return new Setting({ ...this, update: 'per-broker' })
  }

  hidden(): Setting<Value> {
    return new Setting({ ...this, internal: true })
  }
}

export type Settings = { readonly [name: string]: Setting<unknown> }
export type ValueOf<S> = S extends Setting<infer Value> ? Value : never

type OrNull<Default, Value> = Default extends null ? Value | null : Value

/** Kafka's "no limit": the largest value of a signed 64 bit integer. Reading it gives `Number.MAX_SAFE_INTEGER`. */
export const MAX_LONG = '9223372036854775807'
export const MAX_INT = 2147483647

const declare = (type: ConfigType, value: string | null, valid: Valid | null | undefined) =>
  new Setting<never>({
    type,
    default: value,
    valid: valid ?? null,
    status: 'ignored',
    doc: '',
    update: 'never',
    internal: false,
    strict: false,
  })

const text = (value: string | number | boolean | null) => (value === null ? null : String(value))

export const bool = (value: boolean): Setting<boolean> => declare('boolean', text(value), null)
export const int = <const D extends number | null>(value: D, valid?: Valid): Setting<OrNull<D, number>> =>
  declare('int', text(value), valid)
export const short = <const D extends number | null>(value: D, valid?: Valid): Setting<OrNull<D, number>> =>
  declare('short', text(value), valid)
export const long = <const D extends number | typeof MAX_LONG | null>(
  value: D,
  valid?: Valid,
): Setting<OrNull<D, number>> => declare('long', text(value), valid)
/** `value` is the number as Java prints it (`0.5`, `1.7976931348623157E308`). */
export const double = (value: string, valid?: Valid): Setting<number> => declare('double', value, valid)
export const string = <const D extends string | null>(value: D, valid?: Valid): Setting<OrNull<D, string>> =>
  declare('string', value, valid)
/** Comma-separated. Null where unset differs from empty. */
export const list = <const D extends string | null>(value: D, valid?: Valid): Setting<OrNull<D, readonly string[]>> =>
  declare('list', value, valid)
export const className = <const D extends string | null>(value: D): Setting<OrNull<D, string>> =>
  declare('class', value, null)
/** Never shown, never logged. */
export const password = (): Setting<string | null> => declare('password', null, null)

export function atLeast(least: number): Valid {
  return between(least, null)
}

/** Both ends included; null: open. */
export function between(least: number, most: number | null): Valid {
  return {
    describe: most === null ? `at least ${least}` : `${least} to ${most}`,
    check(value) {
      if (typeof value !== 'number' && typeof value !== 'bigint') return null
      if (value < least) return `Value must be at least ${least}`
      return most !== null && value > most ? `Value must be no more than ${most}` : null
    },
  }
}

export function orValue(other: number, valid: Valid): Valid {
  return {
    describe: `${valid.describe}, or ${other}`,
    check: value => (value === other || value === BigInt(other) ? null : valid.check(value)),
  }
}

export function oneOf(...values: readonly string[]): Valid {
  return {
    describe: `one of ${values.join(', ')}`,
    check: value =>
      value === null || values.includes(value as string) ? null : `String must be one of: ${values.join(', ')}`,
  }
}

export function oneOfAnyCase(...values: readonly string[]): Valid {
  const upper = values.map(value => value.toUpperCase())
  return {
    describe: `one of ${values.join(', ')} (any case)`,
    check: value =>
      upper.includes(String(value).toUpperCase())
        ? null
        : `String must be one of (case insensitive): ${upper.join(', ')}`,
  }
}

/** A list without repetitions, of these words if any are given. */
export function listOf(words: readonly string[], { empty }: { empty: boolean }): Valid {
  return {
    describe: `${empty ? '' : 'non-empty '}list${words.length === 0 ? '' : ` of ${words.join(', ')}`}`,
    check(value) {
      if (value === null) return null
      const items = value as readonly string[]
      if (items.length === 0) return empty ? null : 'List must not be empty'
      if (new Set(items).size !== items.length) return 'List must not repeat a value'
      if (items.includes('')) return 'List must not contain an empty value'
      const wrong = words.length === 0 ? undefined : items.find(item => !words.includes(item))
      return wrong === undefined ? null : `String must be one of: ${words.join(', ')}`
    },
  }
}

export const nonEmpty: Valid = {
  describe: 'not empty',
  check: value => (value === '' ? 'String must be non-empty' : null),
}

export function matching(pattern: RegExp, describe: string): Valid {
  return {
    describe,
    check: value => (value === null || pattern.test(String(value)) ? null : `Value must be ${describe}`),
  }
}
