import { ProtocolError } from './protocol-error.ts'

/** The uuid of nothing: sixteen zero bytes, as Kafka prints them. */
export const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA'

// Topic ids come back in every Fetch and Produce, and a native base64 call costs more than the rest of such a field: two
// direct-mapped tables of bounded size, one by bytes and one by text. The texts are shared, which also makes them quick
// keys of a Map.
const slots = 1024
const readWords = new Int32Array(slots * 4)
const readTexts: string[] = new Array(slots).fill(ZERO_UUID)
const writtenTexts: string[] = new Array(slots).fill('')
const writtenBytes = Buffer.alloc(slots * 16)

function slotOfText(text: string): number {
  const mixed =
    text.charCodeAt(0) ^
    (text.charCodeAt(5) << 2) ^
    (text.charCodeAt(10) << 4) ^
    (text.charCodeAt(15) << 1) ^
    (text.charCodeAt(20) << 3)
  return mixed & (slots - 1)
}

/** Writes the sixteen bytes of a uuid, given as 22 base64url characters, at `position`. */
export function putUuid(target: Uint8Array, position: number, text: string): void {
  if (typeof text !== 'string' || text.length !== 22) throw new ProtocolError(`not a uuid in base64url: ${text}`)
  const slot = slotOfText(text)
  let from = slot * 16
  if (writtenTexts[slot] !== text) {
    const bytes = Buffer.from(text, 'base64url')
    if (bytes.toString('base64url') !== text) throw new ProtocolError(`not a uuid in base64url: ${text}`)
    bytes.copy(writtenBytes, from)
    writtenTexts[slot] = text
  }
  for (let at = position; at < position + 16; at++) target[at] = writtenBytes[from++]!
}

/** Reads sixteen bytes at `position` as 22 base64url characters. The caller has checked the bounds. */
export function getUuid(source: Buffer, position: number): string {
  const a = source.readInt32BE(position)
  const b = source.readInt32BE(position + 4)
  const c = source.readInt32BE(position + 8)
  const d = source.readInt32BE(position + 12)
  const slot = (a ^ (b << 3) ^ c ^ d ^ (d >>> 15) ^ (a >>> 11)) & (slots - 1)
  const word = slot * 4
  if (readWords[word] === a && readWords[word + 1] === b && readWords[word + 2] === c && readWords[word + 3] === d) {
    return readTexts[slot]!
  }
  const text = source.toString('base64url', position, position + 16)
  readWords[word] = a
  readWords[word + 1] = b
  readWords[word + 2] = c
  readWords[word + 3] = d
  readTexts[slot] = text
  return text
}

/** A random uuid (version 4) that does not begin with a dash, so that it can stand on a command line. */
export function newUuid(random: { bytes(count: number): Uint8Array }): string {
  for (;;) {
    const bytes = random.bytes(16)
    bytes[6] = (bytes[6]! & 0x0f) | 0x40
    bytes[8] = (bytes[8]! & 0x3f) | 0x80
    const text = Buffer.from(bytes).toString('base64url')
    if (!text.startsWith('-')) return text
  }
}
