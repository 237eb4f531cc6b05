import { array, int16, int32, int64, message, string, struct, uint16, uuid } from '../schema.ts'

const voter = {
  voterId: int32,
  voterDirectoryId: uuid.in('1+'),
}

/** First record of each epoch of a Raft log: who leads it, by whose votes (KIP-595). Control record type 2. */
export const LeaderChangeMessage = message(
  'LeaderChangeMessage',
  '0-1',
  { flexible: '0+' },
  {
    version: int16,
    leaderId: int32,
    voters: array(voter),
    grantingVoters: array(voter),
  },
)

/** First record of a snapshot (KIP-630). Control record type 3. */
export const SnapshotHeaderRecord = message(
  'SnapshotHeaderRecord',
  '0',
  { flexible: '0+' },
  {
    version: int16,
    lastContainedLogTimestamp: int64,
  },
)

/** Last record of a snapshot: without it, the file was not finished (KIP-630). Control record type 4. */
export const SnapshotFooterRecord = message(
  'SnapshotFooterRecord',
  '0',
  { flexible: '0+' },
  {
    version: int16,
  },
)

/** Which version of Raft the quorum speaks: 1 has voters that can change (KIP-853). Control record type 5. */
export const KRaftVersionRecord = message(
  'KRaftVersionRecord',
  '0',
  { flexible: '0+' },
  {
    version: int16,
    kRaftVersion: int16,
  },
)

/** The voters from here on (KIP-853). Control record type 6. */
export const VotersRecord = message(
  'VotersRecord',
  '0',
  { flexible: '0+' },
  {
    version: int16,
    voters: array({
      voterId: int32,
      voterDirectoryId: uuid,
      endpoints: array({ name: string, host: string, port: uint16 }),
      kRaftVersionFeature: struct({ minSupportedVersion: int16, maxSupportedVersion: int16 }),
    }),
  },
)

/**
 * Value of a transaction marker: commit or abort, as its key says. Preceded by an int16 version, as every control
 * record.
 */
export const EndTxnMarker = message(
  'EndTxnMarker',
  '0',
  {},
  {
    coordinatorEpoch: int32,
  },
)

/** What follows the int16 version in the key of a control record: 0 abort, 1 commit, 2 … 6 the records above. */
export const ControlRecordTypeSchema = message(
  'ControlRecordTypeSchema',
  '0',
  {},
  {
    type: int16,
  },
)
