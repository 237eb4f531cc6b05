import { Failure } from './failure.ts'

/** No message may be longer than this; a line without an end must not take all memory. */
const LONGEST = 256 * 1024 * 1024

/**
 * Cuts a stream at each delimiter, as bytes: what is between them need not be text. The last piece counts when it is not
 * empty. With `\n` a `\r` before it goes, too.
 */
export async function* pieces(stream: AsyncIterable<Uint8Array | string>, delimiter: string): AsyncGenerator<Buffer> {
  const cut = Buffer.from(delimiter)
  let kept: Buffer[] = []
  let length = 0
  for await (const chunk of stream) {
    let rest =
      typeof chunk === 'string' ? Buffer.from(chunk) : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    // A delimiter of several bytes may cross the chunks' border.
    if (cut.length > 1 && kept.length > 0) {
      rest = Buffer.concat([...kept, rest])
      kept = []
      length = 0
    }
    for (let at = rest.indexOf(cut); at >= 0; at = rest.indexOf(cut)) {
      yield piece([...kept, rest.subarray(0, at)], delimiter)
      rest = rest.subarray(at + cut.length)
      kept = []
      length = 0
    }
    if (rest.length === 0) continue
    kept.push(rest)
    length += rest.length
    if (length > LONGEST) throw new Failure(`a message of more than ${LONGEST} bytes: is the delimiter right?`)
  }
  if (length > 0) yield piece(kept, delimiter)
}

function piece(parts: Buffer[], delimiter: string): Buffer {
  const whole = parts.length === 1 ? parts[0]! : Buffer.concat(parts)
  return delimiter === '\n' && whole.at(-1) === 13 ? whole.subarray(0, -1) : whole
}
