import {
  bool,
  type Enumeration,
  type Fields,
  int32,
  type Message,
  Message as MessageType,
  type ProtoFile,
  repeated,
  type Service,
  string,
} from './schema.ts'

/** `google/protobuf/descriptor.proto`, as far as our tables need it. */

const EnumValueDescriptor = new MessageType('google.protobuf.EnumValueDescriptorProto', {
  name: string(1),
  number: int32(2).optional(),
})
const EnumDescriptor = new MessageType('google.protobuf.EnumDescriptorProto', {
  name: string(1),
  value: repeated(EnumValueDescriptor, 2),
})
const FieldDescriptor = new MessageType('google.protobuf.FieldDescriptorProto', {
  name: string(1),
  number: int32(3),
  label: int32(4),
  type: int32(5),
  typeName: string(6),
  oneofIndex: int32(9).optional(),
  jsonName: string(10),
  proto3Optional: bool(17),
})
const OneofDescriptor = new MessageType('google.protobuf.OneofDescriptorProto', { name: string(1) })
const MessageOptions = new MessageType('google.protobuf.MessageOptions', { mapEntry: bool(7) })
const messageFields = {
  name: string(1),
  field: repeated(FieldDescriptor, 2),
  enumType: repeated(EnumDescriptor, 4),
  oneofDecl: repeated(OneofDescriptor, 8),
}
const EntryDescriptor = new MessageType('google.protobuf.DescriptorProto', {
  ...messageFields,
  options: repeated(MessageOptions, 7),
})
const MessageDescriptor = new MessageType('google.protobuf.DescriptorProto', {
  ...messageFields,
  /** Entries of maps: the only messages that we nest. */
  nestedType: repeated(EntryDescriptor, 3),
})
const MethodDescriptor = new MessageType('google.protobuf.MethodDescriptorProto', {
  name: string(1),
  inputType: string(2),
  outputType: string(3),
  clientStreaming: bool(5),
  serverStreaming: bool(6),
})
const ServiceDescriptor = new MessageType('google.protobuf.ServiceDescriptorProto', {
  name: string(1),
  method: repeated(MethodDescriptor, 2),
})
export const FileDescriptor = new MessageType('google.protobuf.FileDescriptorProto', {
  name: string(1),
  package: string(2),
  dependency: string(3).repeated(),
  messageType: repeated(MessageDescriptor, 4),
  enumType: repeated(EnumDescriptor, 5),
  service: repeated(ServiceDescriptor, 6),
  syntax: string(12),
})

const labels = { implicit: 1, optional: 1, repeated: 3, map: 3 } as const

/** The bytes of a file's `FileDescriptorProto`, as protoc would make them of its `.proto` file. */
export function fileDescriptor(file: ProtoFile): Buffer {
  const isTop = (fullName: string) => !fullName.slice(file.package.length + 1).includes('.')
  return FileDescriptor.encode({
    name: file.name,
    package: file.package,
    dependency: file.dependencies.map(({ name }) => name),
    messageType: file.messages.map(message => messageDescriptor(message, file.enums)),
    enumType: file.enums.filter(({ fullName }) => isTop(fullName)).map(enumDescriptor),
    service: file.services.map(serviceDescriptor),
    syntax: 'proto3',
  })
}

function messageDescriptor(message: Message<Fields>, enums: readonly Enumeration[]) {
  const { fullName } = message
  const entries: ReturnType<typeof entryDescriptor>[] = []
  const oneofs = [...new Set(Object.values(message.fields).flatMap(({ spec }) => spec.oneof ?? []))]
  const field = Object.entries(message.fields).map(([key, { spec }]) => {
    const { kind, label, number } = spec
    const name = spec.name ?? snake(key)
    // A field with presence of its own stands in a oneof of its own, behind the real ones.
    const alone = label === 'optional' && spec.oneof === null && kind.type !== messageType
    if (alone) oneofs.push(`_${name}`)
    const oneof = alone ? `_${name}` : spec.oneof
    if (label === 'map') entries.push(entryDescriptor(name, kind.of as Message<Fields>))
    return {
      name,
      number,
      label: labels[label],
      type: kind.type,
      typeName: label === 'map' ? `.${fullName}.${entryName(name)}` : typeName(kind.of),
      oneofIndex: oneof === null ? null : oneofs.indexOf(oneof),
      jsonName: camel(name),
      proto3Optional: alone,
    }
  })
  return {
    name: last(fullName),
    field,
    nestedType: entries,
    enumType: enums.filter(each => each.fullName.startsWith(`${fullName}.`)).map(enumDescriptor),
    oneofDecl: oneofs.map(name => ({ name })),
  }
}

const messageType = 11

function entryDescriptor(name: string, entry: Message<Fields>) {
  return {
    name: entryName(name),
    field: Object.entries(entry.fields).map(([key, { spec }]) => ({
      name: key,
      number: spec.number,
      label: labels.implicit,
      type: spec.kind.type,
      typeName: typeName(spec.kind.of),
      jsonName: key,
    })),
    options: [{ mapEntry: true }],
  }
}

function enumDescriptor({ fullName, values }: Enumeration) {
  return { name: last(fullName), value: Object.entries(values).map(([name, number]) => ({ name, number })) }
}

function serviceDescriptor({ fullName, methods }: Service) {
  const method = Object.entries(methods).map(([name, { request, response, clientStreams, serverStreams }]) => ({
    name,
    inputType: `.${request.fullName}`,
    outputType: `.${response.fullName}`,
    clientStreaming: clientStreams,
    serverStreaming: serverStreams,
  }))
  return { name: last(fullName), method }
}

const typeName = (of: { readonly fullName: string } | null): string => (of === null ? '' : `.${of.fullName}`)
const last = (fullName: string): string => fullName.slice(fullName.lastIndexOf('.') + 1)
const snake = (key: string): string => key.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)
const camel = (name: string): string => name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
const entryName = (name: string): string => `${camel(`_${name}`)}Entry`
