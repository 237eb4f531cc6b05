import type { Implementation } from '../implementation.ts'
import { fileDescriptor } from '../protobuf/descriptor.ts'
import type { In, Out, ProtoFile } from '../protobuf/schema.ts'
import type { reflectionV1 } from '../services/reflection.ts'
import { Status } from '../status.ts'

type Reflection = typeof reflectionV1.service
type Request = Out<Reflection['methods']['ServerReflectionInfo']['request']>
type Response = In<Reflection['methods']['ServerReflectionInfo']['response']>

/** gRPC's server reflection: tools learn from the node itself what it serves. */
export function reflection(files: readonly ProtoFile[]): Implementation<Reflection> {
  const symbols = new Map<string, ProtoFile>()
  for (const file of files) {
    for (const { fullName } of [...file.messages, ...file.enums, ...file.services]) symbols.set(fullName, file)
    for (const { fullName, methods } of file.services)
      for (const method of Object.keys(methods)) symbols.set(`${fullName}.${method}`, file)
  }
  return {
    async ServerReflectionInfo(call) {
      for (let request = await call.next(); request !== null; request = await call.next())
        await call.write({ validHost: request.host, originalRequest: request, ...answer(request, files, symbols) })
    },
  }
}

function answer(request: Request, files: readonly ProtoFile[], symbols: ReadonlyMap<string, ProtoFile>): Response {
  const { fileByFilename: name, fileContainingSymbol: symbol, allExtensionNumbersOfType: type, listServices } = request
  if (listServices !== null) {
    const service = files.flatMap(({ services }) => services.map(({ fullName }) => ({ name: fullName })))
    return { listServicesResponse: { service } }
  }
  if (name !== null) return described(files.find(file => file.name === name))
  if (symbol !== null) return described(symbols.get(symbol))
  // proto3 has no extensions.
  if (type !== null && symbols.has(type)) return { allExtensionNumbersResponse: { baseTypeName: type } }
  if (request.fileContainingExtension !== null || type !== null) return described(undefined)
  return { errorResponse: { errorCode: Status.INVALID_ARGUMENT, errorMessage: 'nothing is asked' } }
}

function described(file: ProtoFile | undefined): Response {
  if (file === undefined) return { errorResponse: { errorCode: Status.NOT_FOUND, errorMessage: 'there is none here' } }
  return { fileDescriptorResponse: { fileDescriptorProto: withDependencies(file).map(fileDescriptor) } }
}

function withDependencies(file: ProtoFile): ProtoFile[] {
  return [file, ...file.dependencies.flatMap(withDependencies)]
}
