import type { Cluster } from '../../client/cluster.ts'
import { throwIf } from '../../client/failures.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import { AddRaftVoter } from '../../protocol/messages/add-raft-voter.ts'
import { RemoveRaftVoter } from '../../protocol/messages/remove-raft-voter.ts'
import { type ClusterView, clusterView, type QuorumMember } from './quorum.ts'

const timeoutMs = 10_000

/**
 * A node that goes takes its vote about the metadata with it. Where another node only reads the metadata so far, that gets a
 * vote first: at no time fewer nodes may be missed than before. Returns the node that votes instead; null: none does.
 */
export async function handOverVote(cluster: Cluster, id: number): Promise<number | null> {
  const view = await clusterView(cluster)
  const leaving = view.quorum.filter(member => member.voter && member.id === id)
  if (leaving.length === 0 || view.quorum.filter(member => member.voter).length === leaving.length) return null
  const heir = heirOf(view, id)
  const [host = '', port = ''] = splitAddress(view.nodes.find(node => node.id === heir?.id)?.address ?? '')
  const connection = await cluster.controller()
  if (heir !== null) {
    const answer = await connection.request(AddRaftVoter, {
      clusterId: view.clusterId,
      timeoutMs,
      voterId: heir.id,
      voterDirectoryId: heir.directoryId,
      listeners: [{ name: 'PLAINTEXT', host, port: Number(port) }],
    })
    // The cluster does so by itself, too, and may have been quicker.
    if (answer.errorCode !== ErrorCode.DUPLICATE_VOTER)
      throwIf(answer.errorCode, `a vote for node ${heir.id}`, answer.errorMessage)
  }
  for (const { directoryId } of leaving) {
    const request = { clusterId: view.clusterId, voterId: id, voterDirectoryId: directoryId }
    const answer = await (await cluster.controller()).request(RemoveRaftVoter, request)
    if (answer.errorCode !== ErrorCode.VOTER_NOT_FOUND)
      throwIf(answer.errorCode, `the vote of node ${id}`, answer.errorMessage)
  }
  return heir?.id ?? null
}

/** A node that serves, is not the one that goes, and is the least behind. */
function heirOf({ nodes, quorum }: ClusterView, id: number): QuorumMember | null {
  const serving = new Set(nodes.filter(node => !node.fenced && node.id !== id).map(node => node.id))
  const voters = new Set(quorum.filter(member => member.voter).map(member => member.id))
  const candidates = quorum.filter(({ id, voter, lag }) => !voter && lag >= 0 && serving.has(id) && !voters.has(id))
  return candidates.sort((a, b) => a.lag - b.lag || a.id - b.id)[0] ?? null
}

function splitAddress(address: string): [string, string] {
  const at = address.lastIndexOf(':')
  return [address.slice(0, at).replace(/^\[(.*)\]$/, '$1'), address.slice(at + 1)]
}
