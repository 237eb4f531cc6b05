import {
  bool,
  bytes,
  int32,
  Message,
  type ProtoFile,
  type Service,
  serverStream,
  string,
  unary,
} from '../protobuf/schema.ts'

/** `broker.proto`: publish and subscribe on subjects, which are topics. What each call means stands in the file itself. */

export const PublishRequest = new Message('broker.PublishRequest', {
  subject: string(1),
  body: bytes(2),
  expirationSeconds: int32(3).named('expirationSeconds'),
})
export const PublishResponse = new Message('broker.PublishResponse', { id: int32(1) })
export const BroadcastResponse = new Message('broker.BroadcastResponse', { ack: bool(1) })
export const SubscribeRequest = new Message('broker.SubscribeRequest', { subject: string(1) })
export const MessageResponse = new Message('broker.MessageResponse', { body: bytes(1) })
export const FetchRequest = new Message('broker.FetchRequest', { subject: string(1), id: int32(2) })
export const IncIdxRequest = new Message('broker.IncIdxRequest', { subject: string(1) })
export const IncIdxResponse = new Message('broker.IncIdxResponse', { newIdx: int32(1).named('newIdx') })

export const Broker = {
  fullName: 'broker.Broker',
  methods: {
    Publish: unary(PublishRequest, PublishResponse),
    Subscribe: serverStream(SubscribeRequest, MessageResponse),
    Fetch: unary(FetchRequest, MessageResponse),
    Broadcast: unary(PublishRequest, BroadcastResponse),
    IncIdx: unary(IncIdxRequest, IncIdxResponse),
  },
} satisfies Service

export const brokerProto: ProtoFile = {
  name: 'broker.proto',
  package: 'broker',
  dependencies: [],
  messages: [
    PublishRequest,
    PublishResponse,
    BroadcastResponse,
    SubscribeRequest,
    MessageResponse,
    FetchRequest,
    IncIdxRequest,
    IncIdxResponse,
  ],
  enums: [],
  services: [Broker],
}
