import { array, int16, int32, int64, message, string, struct, uint16, uuid } from '../schema.ts'

const voter = {
  voterId: int32,
  voterDirectoryId: uuid.in('1+'),
}

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

export const SnapshotHeaderRecord = message(
  'SnapshotHeaderRecord',
  '0',
  { flexible: '0+' },
  {
    version: int16,
    lastContainedLogTimestamp: int64,
  },
)

export const SnapshotFooterRecord = message(
  'SnapshotFooterRecord',
  '0',
  { flexible: '0+' },
  {
    version: int16,
  },
)

export const KRaftVersionRecord = message(
  'KRaftVersionRecord',
  '0',
  { flexible: '0+' },
  {
    version: int16,
    kRaftVersion: int16,
  },
)

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

export const EndTxnMarker = message(
  'EndTxnMarker',
  '0',
  {},
  {
    coordinatorEpoch: int32,
  },
)

export const ControlRecordTypeSchema = message(
  'ControlRecordTypeSchema',
  '0',
  {},
  {
    type: int16,
  },
)
