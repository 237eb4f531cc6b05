import { allApis } from '../../src/protocol/messages/all.ts'
import * as consumerProtocol from '../../src/protocol/messages/consumer-protocol.ts'
import * as controlRecords from '../../src/protocol/messages/control-records.ts'
import * as principal from '../../src/protocol/messages/principal.ts'
import * as transactionIndex from '../../src/protocol/messages/transaction-index.ts'
import type { Fields, Message } from '../../src/protocol/schema.ts'

/** Every message that is declared, by the name that Kafka gives it. */
export const messages: ReadonlyMap<string, Message<Fields>> = new Map(
  [
    ...allApis.flatMap(api => [api.request, api.response]),
    ...[consumerProtocol, controlRecords, principal, transactionIndex].flatMap(file => Object.values(file)),
  ].map((message: Message<Fields>) => [message.name, message]),
)

/** Kafka 4.1 generalised this API and renamed it; version 0 stayed what it was. */
export function renamed(name: string): string {
  return name.replace('ListClientMetricsResources', 'ListConfigResources')
}

/** Share groups were an early access in 4.0 and before: their version 0 changed without a new number. */
export function isEarlyAccess(name: string): boolean {
  return name.includes('Share')
}
