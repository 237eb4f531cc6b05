import type { KafkaRecord } from '../../protocol/batches/records.ts'
import { parsePath, pathMatches } from './json-path.ts'

/** What somebody looks for; all that is given must hold. */
export interface Criteria {
  /** Text that the key contains. */
  readonly key?: string | undefined
  /** Text that the value contains. */
  readonly value?: string | undefined
  /** `name`: there is such a header; `name=text`: and it contains the text. */
  readonly header?: string | undefined
  /** `customer.id`: the value is JSON and has that; `items[*].sku=7`: and it is that. See json-path.ts. */
  readonly path?: string | undefined
  /** Capital letters are others than small ones; not in paths, where they always are. */
  readonly matchCase?: boolean | undefined
}

export type Matcher = (record: KafkaRecord) => boolean

/** Null: the path is none. Without criteria everything matches. */
export function matcherOf({ key, value, header, path, matchCase = false }: Criteria): Matcher | null {
  const tests: Matcher[] = []
  if (key !== undefined) {
    const contains = containing(key, matchCase)
    tests.push(record => contains(record.key))
  }
  if (header !== undefined) tests.push(headerTest(header, matchCase))
  if (value !== undefined) {
    const contains = containing(value, matchCase)
    tests.push(record => contains(record.value))
  }
  if (path !== undefined) {
    const parsed = parsePath(path)
    if (parsed === null) return null
    tests.push(record => pathMatches(parsed, record.value))
  }
  return record => tests.every(test => test(record))
}

type Test = (bytes: Uint8Array | null) => boolean

/** With capitals the bytes are compared as they are; without, most records are text and are decoded. */
function containing(text: string, matchCase: boolean): Test {
  if (matchCase) {
    const wanted = Buffer.from(text)
    return bytes => bytes !== null && bufferOf(bytes).includes(wanted)
  }
  const wanted = text.toLowerCase()
  return bytes => bytes !== null && bufferOf(bytes).toString().toLowerCase().includes(wanted)
}

function headerTest(header: string, matchCase: boolean): Matcher {
  const at = header.indexOf('=')
  const name = at < 0 ? header : header.slice(0, at)
  const contains = at < 0 ? () => true : containing(header.slice(at + 1), matchCase)
  return ({ headers }) => headers.some(each => each.key === name && contains(each.value))
}

const bufferOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
