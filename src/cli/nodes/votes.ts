import { balanceStates } from '../../client/balance.ts'
import type { Cluster } from '../../client/cluster.ts'
import { type ClusterView, clusterView, type QuorumMember } from '../../client/cluster-view.ts'
import { throwIf } from '../../client/failures.ts'
import { sleep } from '../../client/retry.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import { AddRaftVoter } from '../../protocol/messages/add-raft-voter.ts'
import { RemoveRaftVoter } from '../../protocol/messages/remove-raft-voter.ts'

const timeoutMs = 10_000
/** ms for what the cluster does by itself about a node that is drained or gone; between looks; and for all of it. */
const byItselfMs = 3_000
const lookMs = 100
const patienceMs = 30_000

/**
 * A node that goes takes its vote about the metadata with it. Where another node only reads the metadata so far, that gets a
 * vote first: at no time fewer nodes may be missed than before. Returns the nodes that vote now and did not before.
 */
export async function handOverVote(cluster: Cluster, id: number): Promise<number[]> {
  const { clock } = cluster.world
  const begin = clock.mono()
  const before = votersOf(await clusterView(cluster))
  for (;;) {
    const view = await clusterView(cluster)
    const voters = votersOf(view)
    if (!voters.includes(id) || voters.every(voter => voter === id)) return voters.filter(now => !before.includes(now))
    const waited = clock.mono() - begin
    // An even number of voters is a change on its way.
    if (waited > byItselfMs && (voters.length % 2 === 1 || waited > 2 * byItselfMs)) {
      const error = await handOver(cluster, view, id).then(
        () => null,
        error => error,
      )
      if (error !== null && clock.mono() - begin > patienceMs) throw error
    }
    await sleep(cluster.world, lookMs)
  }
}

/** States of `balance.state`. */
const leaving: ReadonlySet<string> = new Set(['draining', 'gone'])

const votersOf = ({ quorum }: ClusterView): number[] => quorum.filter(({ voter }) => voter).map(member => member.id)

async function handOver(cluster: Cluster, view: ClusterView, id: number): Promise<void> {
  const { clusterId } = view
  const heir = votersOf(view).length % 2 === 1 ? await heirOf(cluster, view, id) : null
  if (heir !== null) {
    const [host, port] = splitAddress(view.nodes.find(node => node.id === heir.id)?.address ?? '')
    const connection = await cluster.controller()
    const answer = await connection.request(AddRaftVoter, {
      clusterId,
      timeoutMs,
      voterId: heir.id,
      voterDirectoryId: heir.directoryId,
      listeners: [{ name: 'PLAINTEXT', host, port: Number(port) }],
    })
    if (answer.errorCode !== ErrorCode.DUPLICATE_VOTER)
      throwIf(answer.errorCode, `a vote for node ${heir.id}`, answer.errorMessage)
  }
  for (const { directoryId } of view.quorum.filter(member => member.voter && member.id === id)) {
    const connection = await cluster.controller()
    const answer = await connection.request(RemoveRaftVoter, { clusterId, voterId: id, voterDirectoryId: directoryId })
    if (answer.errorCode !== ErrorCode.VOTER_NOT_FOUND)
      throwIf(answer.errorCode, `the vote of node ${id}`, answer.errorMessage)
  }
}

/** A node that serves, does not go as well, and is the least behind. */
async function heirOf(cluster: Cluster, { nodes, quorum }: ClusterView, id: number): Promise<QuorumMember | null> {
  const serving = nodes.filter(node => !node.fenced && node.id !== id).map(node => node.id)
  const balance = await balanceStates(cluster, serving)
  const staying = new Set(serving.filter(node => !leaving.has(balance.get(node) ?? '')))
  const voters = new Set(quorum.filter(member => member.voter).map(member => member.id))
  const candidates = quorum.filter(({ id, voter, lag }) => !voter && lag >= 0 && staying.has(id) && !voters.has(id))
  return candidates.sort((a, b) => a.lag - b.lag || a.id - b.id)[0] ?? null
}

function splitAddress(address: string): [string, string] {
  const at = address.lastIndexOf(':')
  return [address.slice(0, at).replace(/^\[(.*)\]$/, '$1'), address.slice(at + 1)]
}
