import type { GroupCoordinator } from '../../groups/coordinator.ts'
import { other } from './limits.ts'
import type { MetricsPage } from './page.ts'

/** A consumer group of this coordinator, as kafka_exporter looks at it. */
export interface GroupView {
  readonly groupId: string
  readonly members: number
  readonly offsets: readonly CommittedView[]
}

export interface CommittedView {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

/** The groups that this node coordinates. Groups of other kinds than consumers' have no offsets. */
export async function groupsOf(coordinator: GroupCoordinator): Promise<GroupView[]> {
  const { groups: listed } = await coordinator.listGroups({ statesFilter: [], typesFilter: [] })
  const groupIds = listed.map(({ groupId }) => groupId).sort()
  if (groupIds.length === 0) return []
  const described = await coordinator.describeGroups(5, { groups: groupIds, includeAuthorizedOperations: false })
  const members = new Map(described.groups.map(({ groupId, members }) => [groupId, members?.length ?? 0]))
  const wanted = groupIds.map(groupId => ({ groupId, memberId: null, memberEpoch: -1, topics: null }))
  const fetched = await coordinator.offsetFetch(9, { groupId: '', topics: null, groups: wanted, requireStable: false })
  return (fetched.groups ?? []).map(({ groupId, topics }) => ({
    groupId,
    members: members.get(groupId) ?? 0,
    offsets: topics.flatMap(({ name: topic = '', partitions }) =>
      partitions.flatMap(({ partitionIndex: partition, committedOffset: offset }) =>
        offset < 0 ? [] : [{ topic, partition, offset }],
      ),
    ),
  }))
}

export interface GroupLimits {
  /** Groups with a label of their own. */
  readonly groups: number
  /** Partitions of groups that are shown one by one, of all groups. */
  readonly partitions: number
}

/**
 * Offsets and lag by kafka_exporter's names, from the coordinator of each group. `endOf`: offset after a partition's last
 * record; null where it is not known now: then there is no lag to show.
 */
export function exportGroups(
  page: MetricsPage,
  groups: readonly GroupView[],
  endOf: (topic: string, partition: number) => number | null,
  shownTopics: ReadonlySet<string>,
  limits: GroupLimits,
): void {
  const offsets = page.gauge('kafka_consumergroup_current_offset', 'Offset that the group has committed')
  const lags = page.gauge('kafka_consumergroup_lag', 'Records behind the committed offset')
  const offsetSums = page.gauge('kafka_consumergroup_current_offset_sum', 'Committed offsets of all partitions')
  const lagSums = page.gauge('kafka_consumergroup_lag_sum', 'Records behind the committed offsets of all partitions')
  const members = page.gauge('kafka_consumergroup_members', 'Number of members of the group')
  let shown = 0
  const named = groups.filter(({ groupId }) => groupId !== other).slice(0, limits.groups)
  const rest = groups.filter(group => !named.includes(group))
  const show = (consumergroup: string, views: readonly GroupView[], single: boolean) => {
    const sums = new Map<string, { offset: number; lag: number | null }>()
    for (const { offsets: committed } of views)
      for (const { topic: name, partition, offset } of committed) {
        const topic = shownTopics.has(name) ? name : other
        const end = endOf(name, partition)
        const lag = end === null ? null : Math.max(0, end - offset)
        const sum = sums.get(topic) ?? { offset: 0, lag: 0 }
        sums.set(topic, {
          offset: sum.offset + offset,
          lag: sum.lag === null || lag === null ? null : sum.lag + lag,
        })
        if (!single || topic === other || shown >= limits.partitions) continue
        shown++
        offsets.add(offset, { consumergroup, topic, partition })
        if (lag !== null) lags.add(lag, { consumergroup, topic, partition })
      }
    for (const [topic, { offset, lag }] of sums) {
      offsetSums.add(offset, { consumergroup, topic })
      if (lag !== null) lagSums.add(lag, { consumergroup, topic })
    }
    members.add(
      views.reduce((sum, view) => sum + view.members, 0),
      { consumergroup },
    )
  }
  for (const group of named) show(group.groupId, [group], true)
  if (rest.length > 0) show(other, rest, false)
}
