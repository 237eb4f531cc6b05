import { Cluster } from '../client/cluster.ts'
import { sleep } from '../client/retry.ts'
import { DescribeQuorum } from '../protocol/messages/describe-quorum.ts'
import { nodeWorld } from '../world/node.ts'

/** ms between looks; the quorum itself looks every half second whether it can grow. */
const lookMs = 50

/**
 * Waits until as many nodes vote as there shall be, all of them with the data that they have now: only then one of them may
 * be missed. Goes on after `withinMs` all the same: the cluster serves, it survives less.
 */
export async function untilVoters(count: number, ports: readonly number[], withinMs: number): Promise<void> {
  const { clock } = nodeWorld
  const bootstrap = ports.map(port => ({ host: '127.0.0.1', port }))
  const cluster = new Cluster(nodeWorld, {
    bootstrap,
    clientId: 'ottla-local',
    requestTimeoutMs: 1000,
    apiTimeoutMs: 1000,
  })
  try {
    for (const until = clock.mono() + withinMs; clock.mono() < until; ) {
      const voters = await votersOf(cluster).catch(() => null)
      if (voters !== null && voters >= count) return
      await sleep(nodeWorld, lookMs)
    }
  } finally {
    cluster.close()
  }
}

/** Those that vote and follow. A node that is back without its data still has a vote, but does not follow with it. */
async function votersOf(cluster: Cluster): Promise<number> {
  const connection = await cluster.any()
  const topics = [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }]
  const { topics: answers } = await connection.request(DescribeQuorum, { topics })
  const partition = answers[0]?.partitions[0]
  if (partition === undefined || partition.leaderId < 0) return 0
  const { currentVoters, observers } = partition
  const hasNewSelf = (voter: (typeof currentVoters)[number]) =>
    observers.some(
      ({ replicaId, lastFetchTimestamp }) =>
        replicaId === voter.replicaId && lastFetchTimestamp > voter.lastFetchTimestamp,
    )
  return currentVoters.filter(voter => voter.logEndOffset >= 0 && !hasNewSelf(voter)).length
}
