import { KafkaError } from '../protocol/errors.ts'

/** What whoever names a transactional id is told: transactions are not served yet. */
export function noTransactions(): KafkaError {
  return new KafkaError('TRANSACTIONAL_ID_AUTHORIZATION_FAILED', 'transactions are not served yet')
}
