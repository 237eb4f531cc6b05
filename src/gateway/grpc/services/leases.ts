import {
  bool,
  duplex,
  Enumeration,
  enumeration,
  int32,
  Message,
  nested,
  type ProtoFile,
  repeated,
  type Service,
  string,
  unary,
} from '../protobuf/schema.ts'
import { Record, recordsProto } from './records.ts'

/** `ottla/v1/leases.proto`: groups of workers that share a topic record by record. */

export const Begin = new Enumeration('ottla.v1.Begin', { BEGIN_EARLIEST: 0, BEGIN_LATEST: 1 })
export const Outcome = new Enumeration('ottla.v1.Outcome', {
  OUTCOME_UNSPECIFIED: 0,
  OUTCOME_ACK: 1,
  OUTCOME_RELEASE: 2,
  OUTCOME_REJECT: 3,
  OUTCOME_RENEW: 4,
})

export const LeasedRecord = new Message('ottla.v1.LeasedRecord', {
  lease: string(1),
  record: nested(Record, 2),
  deliveryCount: int32(3),
  broadcast: bool(4),
})
export const PullRequest = new Message('ottla.v1.PullRequest', {
  topic: string(1),
  group: string(2),
  max: int32(3),
  waitMs: int32(4),
  leaseMs: int32(5),
  begin: enumeration(Begin, 6),
})
export const PullResponse = new Message('ottla.v1.PullResponse', {
  records: repeated(LeasedRecord, 1),
  leaseMs: int32(2),
})
export const Settlement = new Message('ottla.v1.Settlement', {
  lease: string(1),
  outcome: enumeration(Outcome, 2),
  ms: int32(3),
  why: string(4),
})
export const Settled = new Message('ottla.v1.Settled', { lease: string(1), done: bool(2) })
export const SettleRequest = new Message('ottla.v1.SettleRequest', {
  topic: string(1),
  settlements: repeated(Settlement, 2),
})
export const SettleResponse = new Message('ottla.v1.SettleResponse', { settled: repeated(Settled, 1) })
export const WorkOpen = new Message('ottla.v1.WorkOpen', {
  topic: string(1),
  group: string(2),
  credits: int32(3),
  leaseMs: int32(4),
  begin: enumeration(Begin, 5),
})
export const WorkRequest = new Message('ottla.v1.WorkRequest', {
  open: nested(WorkOpen, 1),
  settlements: repeated(Settlement, 2),
})
export const WorkResponse = new Message('ottla.v1.WorkResponse', {
  records: repeated(LeasedRecord, 1),
  settled: repeated(Settled, 2),
  leaseMs: int32(3),
})

export const Leases = {
  fullName: 'ottla.v1.Leases',
  methods: {
    Pull: unary(PullRequest, PullResponse),
    Settle: unary(SettleRequest, SettleResponse),
    Work: duplex(WorkRequest, WorkResponse),
  },
} satisfies Service

export const leasesProto: ProtoFile = {
  name: 'ottla/v1/leases.proto',
  package: 'ottla.v1',
  dependencies: [recordsProto],
  messages: [
    LeasedRecord,
    PullRequest,
    PullResponse,
    Settlement,
    Settled,
    SettleRequest,
    SettleResponse,
    WorkOpen,
    WorkRequest,
    WorkResponse,
  ],
  enums: [Begin, Outcome],
  services: [Leases],
}
