import type { GroupMemberDescription } from './group-admin.ts'
import { type Progress, totalLag } from './group-progress.ts'

/** Kafka says −1 where nobody knows. */
export const known = (number: number): number | null => (number < 0 ? null : number)

/** What a group reads and how far it is, as JSON shows it on the command line and over HTTP. */
export function progressJson(members: readonly GroupMemberDescription[], progress: readonly Progress[]) {
  return {
    lag: totalLag(progress),
    members: members.map(({ memberId, groupInstanceId, clientId, clientHost, assignment }) => {
      return { member: memberId, instance: groupInstanceId, client: clientId, host: clientHost, partitions: assignment }
    }),
    offsets: progress.map(({ topic, partition, committed, end, lag, member }) => {
      return {
        topic,
        partition,
        committed: known(committed),
        end: known(end),
        lag: known(lag),
        member: member?.memberId ?? null,
      }
    }),
  }
}
