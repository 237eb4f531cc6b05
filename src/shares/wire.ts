import type { Begin, Settlement } from './commands.ts'

/** Numbers by which nodes name things to each other: a name's place. */
export const beginCodes: readonly Begin[] = ['earliest', 'latest']
/** 1 to 4 are Kafka's acknowledge types (KIP-932, 1222). */
export const settlementCodes: readonly Settlement[] = ['return', 'accept', 'release', 'reject', 'renew']
