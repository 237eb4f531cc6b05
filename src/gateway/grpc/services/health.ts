import {
  Enumeration,
  enumeration,
  Message,
  mapOf,
  type ProtoFile,
  type Service,
  serverStream,
  string,
  unary,
} from '../protobuf/schema.ts'

/** `grpc/health/v1/health.proto` of gRPC's health checking protocol. */

export const ServingStatus = new Enumeration('grpc.health.v1.HealthCheckResponse.ServingStatus', {
  UNKNOWN: 0,
  SERVING: 1,
  NOT_SERVING: 2,
  SERVICE_UNKNOWN: 3,
})

export const HealthCheckRequest = new Message('grpc.health.v1.HealthCheckRequest', { service: string(1) })
export const HealthCheckResponse = new Message('grpc.health.v1.HealthCheckResponse', {
  status: enumeration(ServingStatus, 1),
})
export const HealthListRequest = new Message('grpc.health.v1.HealthListRequest', {})
export const HealthListResponse = new Message('grpc.health.v1.HealthListResponse', {
  statuses: mapOf(HealthCheckResponse, 1),
})

export const Health = {
  fullName: 'grpc.health.v1.Health',
  methods: {
    Check: unary(HealthCheckRequest, HealthCheckResponse),
    List: unary(HealthListRequest, HealthListResponse),
    Watch: serverStream(HealthCheckRequest, HealthCheckResponse),
  },
} satisfies Service

export const healthProto: ProtoFile = {
  name: 'grpc/health/v1/health.proto',
  package: 'grpc.health.v1',
  dependencies: [],
  messages: [HealthCheckRequest, HealthCheckResponse, HealthListRequest, HealthListResponse],
  enums: [ServingStatus],
  services: [Health],
}
