import { bytes, int8, int32, int64, list, message, string, uuid } from '../../protocol/schema.ts'

export const AccessControlEntryRecord = message(
  'AccessControlEntryRecord',
  '0',
  { flexible: '0+' },
  {
    id: uuid,
    resourceType: int8,
    resourceName: string,
    patternType: int8,
    principal: string,
    host: string,
    operation: int8,
    permissionType: int8,
  },
)

export const RemoveAccessControlEntryRecord = message(
  'RemoveAccessControlEntryRecord',
  '0',
  { flexible: '0+' },
  { id: uuid },
)

export const UserScramCredentialRecord = message(
  'UserScramCredentialRecord',
  '0',
  { flexible: '0+' },
  {
    name: string,
    mechanism: int8,
    salt: bytes,
    storedKey: bytes,
    serverKey: bytes,
    iterations: int32,
  },
)

export const RemoveUserScramCredentialRecord = message(
  'RemoveUserScramCredentialRecord',
  '0',
  { flexible: '0+' },
  {
    name: string,
    mechanism: int8,
  },
)

export const DelegationTokenRecord = message(
  'DelegationTokenRecord',
  '0',
  { flexible: '0+' },
  {
    owner: string,
    requester: string,
    renewers: list(string),
    issueTimestamp: int64,
    maxTimestamp: int64,
    expirationTimestamp: int64,
    tokenId: string,
  },
)

export const RemoveDelegationTokenRecord = message(
  'RemoveDelegationTokenRecord',
  '0',
  { flexible: '0+' },
  { tokenId: string },
)
