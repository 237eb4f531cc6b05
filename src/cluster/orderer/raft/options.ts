import type { CopyOptions } from './copy.ts'
import type { ElectionState, RaftIo, RaftSettings, ReplicaKey } from './types.ts'

/** What a replica begins with. */
export interface RaftOptions<Records> extends CopyOptions {
  readonly self: ReplicaKey
  readonly settings: RaftSettings
  readonly io: RaftIo<Records>
  /** As it is on stable storage. */
  readonly state: ElectionState
  /** Addresses at which somebody may know the leader. */
  readonly seeds: number
}
