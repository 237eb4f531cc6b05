import type { Reader } from './reader.ts'
import type { Writer } from './writer.ts'

/** Reads and writes one struct in one version. */
export interface Codec<Out, In> {
  read(reader: Reader): Out
  write(writer: Writer, value: In): void
}
