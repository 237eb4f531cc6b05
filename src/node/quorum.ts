import { mayHold } from '../cluster/commands/balance-state.ts'
import type { Orderer } from '../cluster/orderer/orderer.ts'
import type { Quorum } from '../cluster/orderer/raft/quorum.ts'
import { RaftOrderer } from '../cluster/orderer/raft/raft-orderer.ts'
import type { ClusterState } from '../cluster/state.ts'
import type { NodeOptions } from './options.ts'

export interface QuorumService {
  /** Null: the metadata is put in order elsewhere. */
  quorum(): Promise<Quorum | null>
  stop(): void
}

/** Our part in the quorum, as others may ask of it. What it takes is loaded when the first one asks. */
export function quorumService(
  orderer: Orderer,
  cluster: ClusterState,
  clusterId: string,
  options: NodeOptions,
): QuorumService {
  if (!(orderer instanceof RaftOrderer)) return { quorum: () => Promise.resolve(null), stop: () => {} }
  let loading: Promise<Quorum> | null = null
  let stopped = false
  const load = async (): Promise<Quorum> => {
    const { Quorum } = await import('../cluster/orderer/raft/quorum.ts')
    const { world, logger, config: resolved } = options
    const { config } = resolved
    const quorum = new Quorum({
      orderer,
      clusterId,
      world,
      logger,
      growth: {
        voters: config.get('quorum.voters'),
        probationMs: config.get('quorum.voter.probation.ms'),
        replaceAfterMs: config.get('quorum.voter.replace.after.ms'),
      },
      leaves: node => !mayHold(cluster, node),
      fetchTimeoutMs: config.get('controller.quorum.fetch.timeout.ms'),
    })
    if (stopped) quorum.stop()
    return quorum
  }
  return {
    quorum() {
      loading ??= load()
      return loading
    },
    stop() {
      stopped = true
      void loading?.then(quorum => quorum.stop())
    },
  }
}
