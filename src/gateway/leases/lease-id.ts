/** A lease as workers name it: everything that finds its way, in a form that needs no escaping in a URL. */
export interface LeaseId {
  readonly groupId: string
  readonly partition: number
  readonly offset: number
  readonly lease: number
}

/** `partition-offset-lease-group`, the lease's number to the base of 36 and the group as base64url. */
export function showLeaseId({ groupId, partition, offset, lease }: LeaseId): string {
  return `${partition}-${offset}-${lease.toString(36)}-${Buffer.from(groupId).toString('base64url')}`
}

export const leaseIdPattern = '^(\\d{1,10})-(\\d{1,15})-([0-9a-z]{1,10})-([A-Za-z0-9_-]{1,1400})$'
const form = new RegExp(leaseIdPattern)

const mostPartitions = 0x7fffffff

/** Null: that is no lease. */
export function readLeaseId(text: string): LeaseId | null {
  const parts = form.exec(text)
  if (parts === null) return null
  const [, partition = '', offset = '', lease = '', group = ''] = parts
  const groupId = Buffer.from(group, 'base64url').toString()
  if (Number(partition) > mostPartitions) return null
  return { groupId, partition: Number(partition), offset: Number(offset), lease: Number.parseInt(lease, 36) }
}
