import { bytes, int32, int64, Message, mapOfStrings, nested, repeated, string } from '../protobuf/schema.ts'

/** What `grpc-status-details-bin` carries: `google.rpc.Status` with the details of AIP-193. */

const Any = new Message('google.protobuf.Any', { typeUrl: string(1), value: bytes(2) })
export const StatusMessage = new Message('google.rpc.Status', {
  code: int32(1),
  message: string(2),
  details: repeated(Any, 3),
})
export const ErrorInfo = new Message('google.rpc.ErrorInfo', {
  reason: string(1),
  domain: string(2),
  metadata: mapOfStrings(3),
})
const Duration = new Message('google.protobuf.Duration', { seconds: int64(1), nanos: int32(2) })
export const RetryInfo = new Message('google.rpc.RetryInfo', { retryDelay: nested(Duration, 1) })
