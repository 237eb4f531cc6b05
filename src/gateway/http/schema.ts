/** The part of JSON Schema (2020-12, as in OpenAPI 3.1) in which our operations are written down, and checked. */
export interface Schema {
  readonly type?: SchemaType | readonly SchemaType[]
  readonly description?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  /** Default: others are refused where `properties` are named. */
  readonly additionalProperties?: boolean | Schema
  readonly items?: Schema
  readonly minItems?: number
  readonly maxItems?: number
  readonly enum?: readonly unknown[]
  readonly minimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly pattern?: string
  readonly format?: string
  readonly default?: unknown
  readonly anyOf?: readonly Schema[]
  /** Shared schemas have names of their own in the documentation; the rest is beside it. */
  readonly title?: string
}

export type SchemaType = 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean' | 'null'

/** The place of a value that is all of the body: its properties go by their own names. */
export const wholeBody = 'The body'

const patterns = new Map<string, RegExp>()

/** What is wrong with a value, as a sentence that names the place; null: nothing. */
export function faultIn(value: unknown, schema: Schema, place: string): string | null {
  if (schema.anyOf !== undefined) {
    const faults = schema.anyOf.map(each => faultIn(value, each, place))
    return faults.includes(null) ? null : (faults[0] ?? null)
  }
  if (schema.enum !== undefined && !schema.enum.includes(value)) {
    return `${place} must be one of ${schema.enum.map(each => JSON.stringify(each)).join(', ')}`
  }
  if (schema.type !== undefined) {
    const types = typeof schema.type === 'string' ? [schema.type] : schema.type
    if (!types.some(type => isOf(type, value))) return `${place} must be ${types.map(article).join(' or ')}`
  }
  if (typeof value === 'string') return faultInText(value, schema, place)
  if (typeof value === 'number') return faultInNumber(value, schema, place)
  if (Array.isArray(value)) return faultInArray(value, schema, place)
  return value === null || typeof value !== 'object' ? null : faultInObject(value, schema, place)
}

function isOf(type: SchemaType, value: unknown): boolean {
  switch (type) {
    case 'null':
      return value === null
    case 'array':
      return Array.isArray(value)
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value)
    case 'integer':
      return Number.isSafeInteger(value)
    default:
      return typeof value === type
  }
}

function article(type: SchemaType): string {
  if (type === 'null') return type
  if (type === 'integer') return 'a whole number'
  return `${/^[aeiou]/.test(type) ? 'an' : 'a'} ${type}`
}

function faultInText(value: string, schema: Schema, place: string): string | null {
  const { minLength = 0, maxLength = Number.POSITIVE_INFINITY, pattern } = schema
  if (value.length < minLength) return `${place} must not be shorter than ${minLength}`
  if (value.length > maxLength) return `${place} must not be longer than ${maxLength}`
  if (pattern === undefined) return null
  let compiled = patterns.get(pattern)
  if (compiled === undefined) {
    compiled = new RegExp(pattern, 'u')
    patterns.set(pattern, compiled)
  }
  return compiled.test(value) ? null : `${place} must match ${pattern}`
}

function faultInNumber(value: number, { minimum, maximum }: Schema, place: string): string | null {
  if (minimum !== undefined && value < minimum) return `${place} must be at least ${minimum}`
  return maximum !== undefined && value > maximum ? `${place} must be at most ${maximum}` : null
}

function faultInArray(value: readonly unknown[], schema: Schema, place: string): string | null {
  const { items, minItems = 0, maxItems = Number.POSITIVE_INFINITY } = schema
  if (value.length < minItems) return `${place} must have at least ${minItems} items`
  if (value.length > maxItems) return `${place} must have at most ${maxItems} items`
  if (items === undefined) return null
  for (let i = 0; i < value.length; i++) {
    const fault = faultIn(value[i], items, `${place}[${i}]`)
    if (fault !== null) return fault
  }
  return null
}

function faultInObject(value: object, schema: Schema, place: string): string | null {
  const { properties = {}, required = [], additionalProperties = schema.properties === undefined } = schema
  const inside = (name: string) => (place === wholeBody ? shown(name) : `${place}.${shown(name)}`)
  for (const name of required) if (!Object.hasOwn(value, name)) return `${inside(name)} is missing`
  for (const [name, item] of Object.entries(value)) {
    const known = Object.hasOwn(properties, name) ? properties[name]! : additionalProperties
    if (known === true) continue
    const fault = known === false ? `${inside(name)} is not known here` : faultIn(item, known, inside(name))
    if (fault !== null) return fault
  }
  return null
}

const shown = (name: string) => (/^[\w.-]+$/.test(name) ? name : JSON.stringify(name))

/** As it is checked: properties that are not named are refused, unless a schema says something else. */
export function strict(schema: Schema): Schema {
  const { properties, items, anyOf, additionalProperties: others } = schema
  const named = properties && Object.entries(properties).map(([name, each]) => [name, strict(each)] as const)
  return {
    ...schema,
    ...(named === undefined ? {} : { properties: Object.fromEntries(named), additionalProperties: others ?? false }),
    ...(typeof others === 'object' ? { additionalProperties: strict(others) } : {}),
    ...(items === undefined ? {} : { items: strict(items) }),
    ...(anyOf === undefined ? {} : { anyOf: anyOf.map(strict) }),
  }
}

/** A parameter's text as its schema means it: numbers and booleans are read. Gives the text itself where it is neither. */
export function readParameter(text: string, schema: Schema): unknown {
  const types = typeof schema.type === 'string' ? [schema.type] : (schema.type ?? [])
  if ((types.includes('integer') || types.includes('number')) && /^-?\d+(\.\d+)?$/.test(text)) return Number(text)
  if (types.includes('boolean') && (text === 'true' || text === 'false')) return text === 'true'
  return text
}
