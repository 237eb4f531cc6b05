import type { MetadataRecord } from './records/records.ts'

/**
 * Facts that nothing here acts on yet (ACLs, quotas, credentials, tokens, controllers), kept so that a snapshot of ours
 * does not lose what somebody else has written.
 */
export class Kept {
  readonly #records = new Map<string, MetadataRecord>()

  apply(record: MetadataRecord): void {
    const place = placeOf(record)
    if (place === null) return
    if (place.remove) this.#records.delete(place.key)
    else this.#records.set(place.key, record)
  }

  clear(): void {
    this.#records.clear()
  }

  records(): Iterable<MetadataRecord> {
    return this.#records.values()
  }
}

/** Under which key a record is kept or removed; null for what leaves nothing behind. */
function placeOf(record: MetadataRecord): { key: string; remove: boolean } | null {
  switch (record.type) {
    case 'RegisterControllerRecord':
      return { key: `controller:${record.controllerId}`, remove: false }
    case 'UnregisterControllerRecord':
      return { key: `controller:${record.controllerId}`, remove: true }
    case 'ClientQuotaRecord':
      return { key: `quota:${JSON.stringify([quotaEntity(record.entity), record.key])}`, remove: record.remove }
    case 'AccessControlEntryRecord':
      return { key: `acl:${record.id}`, remove: false }
    case 'RemoveAccessControlEntryRecord':
      return { key: `acl:${record.id}`, remove: true }
    case 'UserScramCredentialRecord':
      return { key: `scram:${record.mechanism}:${record.name}`, remove: false }
    case 'RemoveUserScramCredentialRecord':
      return { key: `scram:${record.mechanism}:${record.name}`, remove: true }
    case 'DelegationTokenRecord':
      return { key: `token:${record.tokenId}`, remove: false }
    case 'RemoveDelegationTokenRecord':
      return { key: `token:${record.tokenId}`, remove: true }
    case 'ZkMigrationStateRecord':
      return { key: 'zkMigration', remove: false }
    default:
      return null
  }
}

function quotaEntity(entity: readonly { readonly entityType: string; readonly entityName: string | null }[]) {
  return entity.map(({ entityType, entityName }) => [entityType, entityName]).sort()
}
