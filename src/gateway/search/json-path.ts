import { isModest } from '../http/json-size.ts'

/** Where in a JSON value: names, indexes, and `*` for each of them. `equals` undefined: it need only be there. */
export interface JsonPath {
  readonly steps: readonly (string | number)[]
  readonly equals: string | undefined
}

const step = /^(?:\.?([^.[\]=*]+)|\.?(\*)|\[(\d{1,9}|\*)\])/

/** `customer.id`, `$.items[0].sku=7`, `items[*].sku=7`. Null: it is none of these. */
export function parsePath(text: string): JsonPath | null {
  const steps: (string | number)[] = []
  let rest = text.startsWith('$') ? text.slice(1) : text
  while (rest !== '' && rest[0] !== '=') {
    const found = step.exec(rest)
    if (found === null) return null
    const [all, name, anyName, index] = found
    steps.push(name ?? anyName ?? (index === '*' ? '*' : Number(index)))
    rest = rest.slice(all.length)
  }
  if (steps.length === 0) return null
  return { steps, equals: rest === '' ? undefined : rest.slice(1) }
}

/** False where the bytes are not JSON, or hold too many values. Scalars are compared by how they are written, texts without their quotes. */
export function pathMatches({ steps, equals }: JsonPath, bytes: Uint8Array | null): boolean {
  if (bytes === null || !mayBeJson(bytes)) return false
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()
  // What nobody could have sent here as JSON is not looked into either.
  if (!isModest(text)) return false
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return false
  }
  return has(value, steps, 0, equals)
}

/** Only objects and lists have something inside. */
function mayBeJson(bytes: Uint8Array): boolean {
  for (const byte of bytes) {
    if (byte === 0x7b || byte === 0x5b) return true
    if (byte !== 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d) return false
  }
  return false
}

function has(value: unknown, steps: readonly (string | number)[], at: number, equals: string | undefined): boolean {
  const wanted = steps[at]
  if (wanted === undefined) return equals === undefined || (!isObject(value) && String(value) === equals)
  if (!isObject(value)) return false
  if (wanted === '*') return Object.values(value).some(each => has(each, steps, at + 1, equals))
  return Object.hasOwn(value, wanted) && has((value as Record<string, unknown>)[wanted], steps, at + 1, equals)
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null
