import { ZERO_UUID } from '../../../protocol/uuid.ts'
import type { Voter } from '../orderer.ts'
import type { ReplicaKey, VotersAt } from './types.ts'

/** Whether a voter is this replica. A quorum whose voters stand in configuration files knows no directories. */
export function isSame(voter: ReplicaKey, key: ReplicaKey): boolean {
  return voter.id === key.id && (voter.directoryId === key.directoryId || voter.directoryId === ZERO_UUID)
}

export function includes(voters: readonly ReplicaKey[], key: ReplicaKey): boolean {
  return voters.some(voter => isSame(voter, key))
}

export function othersThan(self: ReplicaKey, voters: readonly Voter[]): readonly Voter[] {
  return voters.filter(voter => !isSame(voter, self))
}

/** How many are a majority. */
export function majority(voters: readonly unknown[]): number {
  return Math.floor(voters.length / 2) + 1
}

/**
 * Who votes, by offset: a change is in force as soon as it is appended, and no longer when it is truncated (KIP-853).
 */
export class VoterHistory {
  #changes: VotersAt[]

  constructor(base: VotersAt) {
    this.#changes = [base]
  }

  get latest(): readonly Voter[] {
    return this.#changes.at(-1)!.voters
  }

  /** Offset of the record with the last change. */
  get changedAt(): number {
    return this.#changes.at(-1)!.offset
  }

  /** Those before the last change; as the latest, when no other is known. */
  get previous(): readonly Voter[] {
    return (this.#changes.at(-2) ?? this.#changes[0]!).voters
  }

  append(change: VotersAt): void {
    this.#changes.push(change)
  }

  truncate(end: number): void {
    while (this.#changes.length > 1 && this.#changes.at(-1)!.offset >= end) this.#changes.pop()
  }

  /** A snapshot came in place of all. */
  reset(base: VotersAt): void {
    this.#changes = [base]
  }

  /** The voters that all records below `offset` lead to. */
  at(offset: number): readonly Voter[] {
    return this.#changes.findLast(change => change.offset < offset)?.voters ?? this.#changes[0]!.voters
  }

  /** Changes below `offset` but for the last of them are of no use any more. */
  forgetBefore(offset: number): void {
    while (this.#changes.length > 1 && this.#changes[1]!.offset < offset) this.#changes.shift()
  }
}
