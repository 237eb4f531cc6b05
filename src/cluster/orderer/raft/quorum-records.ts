import type { Clock } from '../../../world/world.ts'
import { type ControlRecord, controlBatch, readMetadataBatches } from '../batches.ts'
import type { MetadataLog } from '../metadata-log.ts'
import type { Voter } from '../orderer.ts'
import type { Replay } from './replay.ts'
import type { Records } from './transport.ts'
import type { VotersAt } from './types.ts'

/** What the quorum says of itself in the log, among the cluster's records: who leads, who votes, and by which rules. */
export class QuorumRecords {
  readonly #log: MetadataLog
  readonly #replay: Replay
  readonly #self: Voter
  readonly #clock: Clock
  /** 0: the voters stand in configuration files; 1: in the log (KIP-853). */
  kraftVersion = 0

  constructor(log: MetadataLog, replay: Replay, self: Voter, clock: Clock) {
    this.#log = log
    this.#replay = replay
    this.#self = self
    this.#clock = clock
  }

  appendLeaderChange(epoch: number, voters: readonly Voter[]): number {
    const now = this.#clock.now()
    const control: ControlRecord[] = [
      { type: 'leaderChange', leaderId: this.#self.id, voterIds: voters.map(({ id }) => id) },
    ]
    if (this.#log.endOffset === 0 && this.kraftVersion > 0) {
      control.push({ type: 'kraftVersion', kraftVersion: this.kraftVersion })
      control.push({ type: 'voters', voters })
    }
    return this.#log.append(controlBatch(control, now), epoch, now)
  }

  appendVoters(epoch: number, voters: readonly Voter[]): number {
    const now = this.#clock.now()
    const control: ControlRecord[] = [{ type: 'voters', voters }]
    // A quorum whose voters stood in configuration files has them in the log from here on.
    if (this.kraftVersion === 0) control.unshift({ type: 'kraftVersion', kraftVersion: 1 })
    const end = this.#log.append(controlBatch(control, now), epoch, now)
    this.kraftVersion = 1
    return end
  }

  /** The cluster's records among them wait for their commit. Returns the changes of voters. */
  appendFetched(bytes: Records): readonly VotersAt[] {
    const changes: VotersAt[] = []
    const batches = [...readMetadataBatches(bytes)]
    this.#log.appendFetched(bytes, this.#clock.now())
    for (const { control, records, baseOffset, endOffset: end, timestamp } of batches) {
      for (const record of control) {
        if (record.type === 'voters') changes.push({ offset: baseOffset, voters: record.voters })
        if (record.type === 'kraftVersion') this.kraftVersion = record.kraftVersion
      }
      if (records.length > 0) this.#replay.add({ records, end, timestamp, own: false })
    }
    return changes
  }
}
