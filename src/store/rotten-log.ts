import { KafkaError } from '../protocol/errors.ts'

/** Bytes of a log on the disk are no batches, where there must be some. */
export class RottenLog extends KafkaError {
  /** Below it all is well. */
  readonly offset: number

  constructor(offset: number, message: string) {
    super('CORRUPT_MESSAGE', message)
    this.offset = offset
  }
}
