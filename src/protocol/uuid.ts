import { ProtocolError } from './protocol-error.ts'

/** The uuid of nothing: sixteen zero bytes, as Kafka prints them. */
export const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA'

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const sextets = new Int8Array(128).fill(-1)
for (let i = 0; i < 64; i++) sextets[alphabet.charCodeAt(i)] = i

function sextet(text: string, at: number): number {
  const code = text.charCodeAt(at)
  const value = code < 128 ? sextets[code]! : -1
  if (value < 0) throw new ProtocolError(`not a uuid in base64url: ${text}`)
  return value
}

/** Writes the sixteen bytes of a uuid, given as 22 base64url characters, at `position`. */
export function putUuid(target: Uint8Array, position: number, text: string): void {
  if (typeof text !== 'string' || text.length !== 22) throw new ProtocolError(`not a uuid in base64url: ${text}`)
  let at = position
  for (let i = 0; i < 20; i += 4) {
    const bits =
      (sextet(text, i) << 18) | (sextet(text, i + 1) << 12) | (sextet(text, i + 2) << 6) | sextet(text, i + 3)
    target[at++] = bits >> 16
    target[at++] = bits >> 8
    target[at++] = bits
  }
  target[at] = (sextet(text, 20) << 2) | (sextet(text, 21) >> 4)
}

// Topic ids come back in every Fetch and Produce, and a native base64 call costs more than the rest of such a field.
// A direct-mapped table of bounded size; the returned strings are shared, which also makes them quick Map keys.
const slots = 1024
const seenWords = new Int32Array(slots * 4)
const seenText: string[] = new Array(slots).fill(ZERO_UUID)

/** Reads sixteen bytes at `position` as 22 base64url characters. The caller has checked the bounds. */
export function getUuid(source: Buffer, position: number): string {
  const a = source.readInt32BE(position)
  const b = source.readInt32BE(position + 4)
  const c = source.readInt32BE(position + 8)
  const d = source.readInt32BE(position + 12)
  const slot = (a ^ (b << 3) ^ c ^ d ^ (d >>> 15) ^ (a >>> 11)) & (slots - 1)
  const word = slot * 4
  if (seenWords[word] === a && seenWords[word + 1] === b && seenWords[word + 2] === c && seenWords[word + 3] === d) {
    return seenText[slot]!
  }
  const text = source.toString('base64url', position, position + 16)
  seenWords[word] = a
  seenWords[word + 1] = b
  seenWords[word + 2] = c
  seenWords[word + 3] = d
  seenText[slot] = text
  return text
}
