/** How the leader of a classic group shares partitions out. Names and results are those of Kafka's own assignors. */

export interface GroupMemberTopics {
  readonly memberId: string
  readonly topics: readonly string[]
}

/** Topic → partitions. */
export type Assignment = Map<string, number[]>

export interface Assignor {
  /** As it stands in JoinGroup. */
  readonly name: string
  /** `partitions`: how many each topic has; topics that do not exist are missing. */
  assign(members: readonly GroupMemberTopics[], partitions: ReadonlyMap<string, number>): Map<string, Assignment>
}

/** Topic by topic: consecutive partitions for each member, the first ones get one more. */
export const range: Assignor = {
  name: 'range',
  assign(members, partitions) {
    const assignments = empty(members)
    for (const [topic, count] of inOrder(partitions)) {
      const subscribed = inOrder(members.filter(member => member.topics.includes(topic)).map(m => [m.memberId]))
      const share = Math.floor(count / subscribed.length)
      const more = count % subscribed.length
      let next = 0
      for (const [i, [memberId]] of subscribed.entries()) {
        const size = share + (i < more ? 1 : 0)
        const mine = Array.from({ length: size }, (_, k) => next + k)
        if (size > 0) assignments.get(memberId!)!.set(topic, mine)
        next += size
      }
    }
    return assignments
  },
}

/** All partitions of all topics, dealt out one by one. */
export const roundRobin: Assignor = {
  name: 'roundrobin',
  assign(members, partitions) {
    const assignments = empty(members)
    const circle = inOrder(members.map(member => [member.memberId, member.topics] as const))
    let turn = 0
    for (const [topic, count] of inOrder(partitions)) {
      if (!circle.some(([, topics]) => topics.includes(topic))) continue
      for (let partition = 0; partition < count; partition++) {
        while (!circle[turn % circle.length]![1].includes(topic)) turn++
        const assignment = assignments.get(circle[turn++ % circle.length]![0])!
        const mine = assignment.get(topic)
        if (mine === undefined) assignment.set(topic, [partition])
        else mine.push(partition)
      }
    }
    return assignments
  },
}

export const assignors: readonly Assignor[] = [range, roundRobin]

function empty(members: readonly GroupMemberTopics[]): Map<string, Assignment> {
  return new Map(members.map(member => [member.memberId, new Map()]))
}

/** By name, so that every leader comes to the same result. */
function inOrder<T extends readonly [string, ...unknown[]] | readonly string[]>(pairs: Iterable<T>): T[] {
  return [...pairs].sort((a, b) => (a[0]! < b[0]! ? -1 : a[0]! > b[0]! ? 1 : 0))
}
