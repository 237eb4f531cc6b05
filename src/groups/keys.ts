/**
 * Keys of timers and of parked askers. Group and member ids are any strings, so the first one's length comes before it:
 * no two pairs share a key.
 */
export const joinKey = (groupId: string, memberId: string): string => `join ${groupId.length} ${groupId} ${memberId}`
export const syncKey = (groupId: string, memberId: string): string => `sync ${groupId.length} ${groupId} ${memberId}`
export const sessionKey = (groupId: string, memberId: string): string =>
  `session ${groupId.length} ${groupId} ${memberId}`
export const rebalanceKey = (groupId: string): string => `rebalance ${groupId}`
export const pendingSyncKey = (groupId: string): string => `pending-sync ${groupId}`
export const offsetExpiryKey = 'expire-offsets'
