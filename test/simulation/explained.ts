import type { Machine } from './machine.ts'
import type { Plan } from './plan.ts'

/** Words of errors that come of a disk that fails, or has no room. */
const ofDisks = /EIO|ENOSPC|EMFILE|[Dd]isk|KAFKA_STORAGE_ERROR/

/** Whether an error that a node logs, or ends with, is what must come of a fault that was done to its machine on purpose. */
export function isExplained(machine: Machine, what: string, { settings }: Plan): boolean {
  if (machine.troubled && ofDisks.test(what)) return true
  if (machine.damaged && /damaged/.test(what)) return true
  // What its former life asked for came late, and it cannot tell that from a copy of its directory: whoever watches over it
  // starts it again.
  if (what.includes('two nodes have the number') && what.includes(`(at ${machine.host}:`)) return true
  // It was away for long, and others have taken its place.
  const replaced = 'broker.replace.after.ms' in settings || 'quorum.voter.replace.after.ms' in settings
  return replaced && /no part of the cluster any more/.test(what)
}
