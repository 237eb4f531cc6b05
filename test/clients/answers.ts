import { connect } from 'node:net'

/** A frame with Metadata, version 1, for no topic. */
export const metadataRequest = Buffer.from('0000000e0003000100000001ffff00000000', 'hex')

/** True when the broker answers a Metadata request: it does not only listen, it serves. */
export function answersMetadata(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    const done = (answer: boolean) => {
      socket.destroy()
      resolve(answer)
    }
    socket.setTimeout(2000, () => done(false))
    socket.on('connect', () => socket.write(metadataRequest))
    socket.on('data', () => done(true))
    socket.on('error', () => done(false))
    socket.on('close', () => resolve(false))
  })
}
