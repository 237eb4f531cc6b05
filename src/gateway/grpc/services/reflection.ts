import {
  bytes,
  duplex,
  int32,
  Message,
  nested,
  type ProtoFile,
  repeated,
  type Service,
  string,
} from '../protobuf/schema.ts'

/** gRPC's server reflection protocol: two packages, `v1` and `v1alpha`, that differ in nothing but their name. */
function reflection(packageName: string, fileName: string) {
  const name = (message: string) => `${packageName}.${message}`
  const ExtensionRequest = new Message(name('ExtensionRequest'), {
    containingType: string(1),
    extensionNumber: int32(2),
  })
  const ServerReflectionRequest = new Message(name('ServerReflectionRequest'), {
    host: string(1),
    fileByFilename: string(3).in('message_request'),
    fileContainingSymbol: string(4).in('message_request'),
    fileContainingExtension: nested(ExtensionRequest, 5).in('message_request'),
    allExtensionNumbersOfType: string(6).in('message_request'),
    listServices: string(7).in('message_request'),
  })
  const FileDescriptorResponse = new Message(name('FileDescriptorResponse'), {
    fileDescriptorProto: bytes(1).repeated(),
  })
  const ExtensionNumberResponse = new Message(name('ExtensionNumberResponse'), {
    baseTypeName: string(1),
    extensionNumber: int32(2).repeated(),
  })
  const ServiceResponse = new Message(name('ServiceResponse'), { name: string(1) })
  const ListServiceResponse = new Message(name('ListServiceResponse'), { service: repeated(ServiceResponse, 1) })
  const ErrorResponse = new Message(name('ErrorResponse'), { errorCode: int32(1), errorMessage: string(2) })
  const ServerReflectionResponse = new Message(name('ServerReflectionResponse'), {
    validHost: string(1),
    originalRequest: nested(ServerReflectionRequest, 2),
    fileDescriptorResponse: nested(FileDescriptorResponse, 4).in('message_response'),
    allExtensionNumbersResponse: nested(ExtensionNumberResponse, 5).in('message_response'),
    listServicesResponse: nested(ListServiceResponse, 6).in('message_response'),
    errorResponse: nested(ErrorResponse, 7).in('message_response'),
  })
  const service = {
    fullName: name('ServerReflection'),
    methods: { ServerReflectionInfo: duplex(ServerReflectionRequest, ServerReflectionResponse) },
  } satisfies Service
  const file: ProtoFile = {
    name: fileName,
    package: packageName,
    dependencies: [],
    messages: [
      ServerReflectionRequest,
      ExtensionRequest,
      ServerReflectionResponse,
      FileDescriptorResponse,
      ExtensionNumberResponse,
      ListServiceResponse,
      ServiceResponse,
      ErrorResponse,
    ],
    enums: [],
    services: [service],
  }
  return { service, file }
}

export const reflectionV1 = reflection('grpc.reflection.v1', 'grpc/reflection/v1/reflection.proto')
export const reflectionV1Alpha = reflection('grpc.reflection.v1alpha', 'grpc/reflection/v1alpha/reflection.proto')
