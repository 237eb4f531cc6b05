import { isAscii } from 'node:buffer'
import { badRequest } from './problem.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** A body, or a part of it, as text. Throws Problem 400 unless it is UTF-8. */
export function textOf(bytes: Buffer): string {
  // Most JSON is ASCII, which needs no decoding.
  if (isAscii(bytes)) return bytes.toString('latin1')
  try {
    return utf8.decode(bytes)
  } catch {
    throw badRequest('the body is not UTF-8; bytes that are no text stand in JSON as {"base64": "…"}')
  }
}
