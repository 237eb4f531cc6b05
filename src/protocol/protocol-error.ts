/**
 * Bytes that are not what the schema says, or a value that the schema cannot carry. The only error that decoding throws,
 * whatever a peer sends; the connection it came from has lost its framing and is best closed.
 */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError'
}
