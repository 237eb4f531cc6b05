import { promisify } from 'node:util'
import { gunzip, inflate as zlibInflate } from 'node:zlib'
import { Slots } from '../../events/slots.ts'
import { GrpcError } from '../status.ts'

export const acceptedEncodings = 'identity,deflate,gzip'

const decoders = { gzip: promisify(gunzip), deflate: promisify(zlibInflate) }

/** Messages that are inflated at one time: what waits is small still. */
const inflating = new Slots(4)

/** A message's own bytes. Throws UNIMPLEMENTED for an encoding that we do not have, RESOURCE_EXHAUSTED beyond `maxBytes`. */
export async function inflate(
  bytes: Buffer,
  compressed: boolean,
  encoding: string | string[] | undefined,
  maxBytes: number,
): Promise<Buffer> {
  if (!compressed || encoding === 'identity') return bytes
  if (encoding !== 'gzip' && encoding !== 'deflate')
    throw new GrpcError('UNIMPLEMENTED', `messages are taken as ${acceptedEncodings}, not as ${String(encoding)}`)
  try {
    return await inflating.run(() => decoders[encoding](bytes, { maxOutputLength: maxBytes }))
  } catch (error) {
    if ((error as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE')
      throw new GrpcError('RESOURCE_EXHAUSTED', `a message of more than ${maxBytes} bytes`)
    throw new GrpcError('INVALID_ARGUMENT', `the message is no ${encoding}`)
  }
}
