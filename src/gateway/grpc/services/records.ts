import {
  bytes,
  duplex,
  Enumeration,
  enumeration,
  int32,
  int64,
  Message,
  nested,
  type ProtoFile,
  repeated,
  type Service,
  serverStream,
  string,
  unary,
} from '../protobuf/schema.ts'

/** `ottla/v1/records.proto`: batches, keys, headers, partitions, offsets. What each call means stands in the file itself. */

export const Header = new Message('ottla.v1.Header', { key: string(1), value: bytes(2).optional() })

export const NewRecord = new Message('ottla.v1.NewRecord', {
  partition: int32(1).optional(),
  key: bytes(2).optional(),
  value: bytes(3).optional(),
  headers: repeated(Header, 4),
  timestamp: int64(5).optional(),
  expiresAfterSeconds: int32(6).optional(),
})
export const ProduceRequest = new Message('ottla.v1.ProduceRequest', {
  topic: string(1),
  records: repeated(NewRecord, 2),
})
export const ProduceError = new Message('ottla.v1.ProduceError', {
  code: int32(1),
  reason: string(2),
  message: string(3),
})
export const ProducedRecord = new Message('ottla.v1.ProducedRecord', {
  partition: int32(1),
  offset: int64(2),
  timestamp: int64(3),
  error: nested(ProduceError, 4),
})
export const ProduceResponse = new Message('ottla.v1.ProduceResponse', { records: repeated(ProducedRecord, 1) })

export const From = new Enumeration('ottla.v1.From', { FROM_LATEST: 0, FROM_EARLIEST: 1 })
export const PartitionStart = new Message('ottla.v1.PartitionStart', {
  partition: int32(1),
  offset: int64(2).optional(),
})
export const ConsumeRequest = new Message('ottla.v1.ConsumeRequest', {
  topic: string(1),
  partitions: repeated(PartitionStart, 2),
  from: enumeration(From, 3),
  fromTimestamp: int64(4).optional(),
  maxRecords: int32(5),
})
export const Record = new Message('ottla.v1.Record', {
  partition: int32(1),
  offset: int64(2),
  timestamp: int64(3),
  key: bytes(4).optional(),
  value: bytes(5).optional(),
  headers: repeated(Header, 6),
})
export const ConsumeResponse = new Message('ottla.v1.ConsumeResponse', { records: repeated(Record, 1) })

export const Records = {
  fullName: 'ottla.v1.Records',
  methods: {
    Produce: unary(ProduceRequest, ProduceResponse),
    ProduceStream: duplex(ProduceRequest, ProduceResponse),
    Consume: serverStream(ConsumeRequest, ConsumeResponse),
  },
} satisfies Service

export const recordsProto: ProtoFile = {
  name: 'ottla/v1/records.proto',
  package: 'ottla.v1',
  dependencies: [],
  messages: [
    Header,
    NewRecord,
    ProduceRequest,
    ProduceError,
    ProducedRecord,
    ProduceResponse,
    PartitionStart,
    ConsumeRequest,
    Record,
    ConsumeResponse,
  ],
  enums: [From],
  services: [Records],
}
