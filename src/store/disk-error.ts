import { KafkaError } from '../protocol/errors.ts'

/** EIO, EMFILE and their kin; Node's own complaints (`ERR_…`) are bugs. */
const ofDisk = /^E[A-Z0-9]+$/

/** What a disk refused, as clients and other nodes hear it; a KafkaError as it is. Throws what is neither: that is a bug. */
export function asStorageError(error: unknown): KafkaError {
  if (error instanceof KafkaError) return error
  const { code, message } = error as { code?: unknown; message?: unknown }
  if (typeof code !== 'string' || !ofDisk.test(code)) throw error
  return new KafkaError('KAFKA_STORAGE_ERROR', String(message ?? code))
}
