import type { Cluster } from './cluster.ts'
import type { GroupMemberDescription } from './group-admin.ts'
import { fetchOffsets } from './group-offsets.ts'
import { findOffsets, type TopicPartition } from './offsets.ts'

/** How far a group is with one partition. */
export interface Progress extends TopicPartition {
  /** −1: nothing committed. */
  readonly committed: number
  /** Of the log; −1: not known. */
  readonly end: number
  /** Records between the two; −1: not known. */
  readonly lag: number
  /** Who reads it now. */
  readonly member: GroupMemberDescription | null
}

/** Every partition that a group has committed or is reading, in order. */
export async function groupProgress(
  cluster: Cluster,
  groupId: string,
  members: readonly GroupMemberDescription[],
): Promise<Progress[]> {
  const committed = new Map<string, number>()
  for (const each of await fetchOffsets(cluster, groupId, null)) {
    committed.set(`${each.topic} ${each.partition}`, each.offset)
  }
  const owners = new Map<string, GroupMemberDescription>()
  for (const member of members) {
    for (const { topic, partition } of member.assignment) owners.set(`${topic} ${partition}`, member)
  }
  const names = [...new Set([...committed.keys(), ...owners.keys()])]
  const parts = names.map(name => ({ topic: name.split(' ')[0]!, partition: Number(name.split(' ')[1]) }))
  const ends = await endsOf(cluster, parts)
  const lines = parts.map(({ topic, partition }) => {
    const name = `${topic} ${partition}`
    const [at, end] = [committed.get(name) ?? -1, ends.get(name) ?? -1]
    const lag = at < 0 || end < 0 ? -1 : Math.max(0, end - at)
    return { topic, partition, committed: at, end, lag, member: owners.get(name) ?? null }
  })
  return lines.sort((a, b) => (a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1))
}

/** Records that a group has still to read, as far as that is known. */
export const totalLag = (progress: readonly { readonly lag: number }[]): number =>
  progress.reduce((sum, { lag }) => sum + Math.max(0, lag), 0)

/** Topics that were deleted since are left out. */
async function endsOf(cluster: Cluster, parts: readonly TopicPartition[]): Promise<Map<string, number>> {
  const { topics } = await cluster.metadata([...new Set(parts.map(part => part.topic))])
  const there = new Set(
    topics.flatMap(({ name, partitions }) => partitions.map(({ partition }) => `${name} ${partition}`)),
  )
  const wanted = parts.filter(({ topic, partition }) => there.has(`${topic} ${partition}`))
  const found = await findOffsets(
    cluster,
    wanted.map(each => ({ ...each, start: 'latest' as const })),
  )
  return new Map(found.map(({ topic, partition, offset }) => [`${topic} ${partition}`, offset]))
}
