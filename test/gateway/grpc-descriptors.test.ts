import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadSync } from '@grpc/proto-loader'
import { FileDescriptor, fileDescriptor } from '../../src/gateway/grpc/protobuf/descriptor.ts'
import type { Out, ProtoFile } from '../../src/gateway/grpc/protobuf/schema.ts'
import { brokerProto } from '../../src/gateway/grpc/services/broker.ts'
import { healthProto } from '../../src/gateway/grpc/services/health.ts'
import { leasesProto } from '../../src/gateway/grpc/services/leases.ts'
import { recordsProto } from '../../src/gateway/grpc/services/records.ts'

type File = Out<typeof FileDescriptor>

/** A `.proto` file as another implementation reads it. */
function parsed({ name, package: packageName }: ProtoFile): File {
  const loaded = loadSync(name, { keepCase: true, includeDirs: ['src/gateway/grpc/proto', 'test/gateway/proto'] })
  for (const definition of Object.values(loaded)) {
    if (!('fileDescriptorProtos' in definition)) continue
    const files = (definition.fileDescriptorProtos as Buffer[]).map(bytes => FileDescriptor.decode(bytes))
    const found = files.find(file => file.package === packageName && holds(file, name))
    if (found !== undefined) return found
  }
  return assert.fail(`${name} holds nothing`)
}

/** That implementation names files after their packages. */
const holds = (file: File, name: string) => name.startsWith('ottla') === file.package.startsWith('ottla')

/**
 * What both must agree on, by name. The order of declarations is anybody's own; that implementation does not mark what is
 * `optional` but for the oneof around it, and names the entries of maps in its own way.
 */
function essence(file: File) {
  const named = <T extends { readonly name: string }, E>(list: readonly T[], each: (one: T) => E) =>
    Object.fromEntries(list.map(one => [one.name, each(one)]).sort())
  const fields = (list: File['messageType'][number]['field'], oneofs: readonly { readonly name: string }[]) =>
    named(list, ({ number, label, type, typeName, oneofIndex }) => ({
      number,
      label,
      type,
      typeName: typeName.slice(typeName.lastIndexOf('.') + 1).replace(/Entry$/, ''),
      oneof: oneofIndex === null ? null : oneofs[oneofIndex]?.name,
    }))
  const enums = (list: File['enumType']) => named(list, ({ value }) => named(value, ({ number }) => number ?? 0))
  return {
    package: file.package,
    messages: named(file.messageType, message => ({
      fields: fields(message.field, message.oneofDecl),
      entries: message.nestedType.map(({ field }) => fields(field, [])),
      enums: enums(message.enumType),
    })),
    enums: enums(file.enumType),
    services: named(file.service, ({ method }) =>
      named(method, ({ inputType, outputType, clientStreaming, serverStreaming }) => ({
        input: inputType.slice(inputType.lastIndexOf('.') + 1),
        output: outputType.slice(outputType.lastIndexOf('.') + 1),
        clientStreaming,
        serverStreaming,
      })),
    ),
  }
}

for (const file of [brokerProto, healthProto, recordsProto, leasesProto]) {
  test(`${file.name} says what the tables say`, () => {
    const ours = FileDescriptor.decode(fileDescriptor(file))
    assert.deepEqual([ours.name, ours.syntax], [file.name, 'proto3'])
    const theirs = essence(parsed(file))
    // Files of one package come together there.
    const names = new Set(file.messages.map(({ fullName }) => fullName.slice(file.package.length + 1)))
    for (const name of Object.keys(theirs.messages)) if (!names.has(name)) delete theirs.messages[name]
    for (const name of Object.keys(theirs.services)) {
      if (!file.services.some(({ fullName }) => fullName.endsWith(`.${name}`))) delete theirs.services[name]
    }
    for (const name of Object.keys(theirs.enums)) {
      if (!file.enums.some(({ fullName }) => fullName === `${file.package}.${name}`)) delete theirs.enums[name]
    }
    assert.deepEqual(essence(ours), theirs)
  })
}
