import { ErrorCode } from '../../protocol/errors.ts'
import { SaslAuthenticate } from '../../protocol/messages/sasl-authenticate.ts'
import { scramMechanism } from '../../security/scram.ts'
import { handler } from '../handler.ts'
import { continueLogin } from '../sasl.ts'

const none = new Uint8Array(0)

/** One message of the proof (KIP-152). Who fails is told so, and the connection ends. */
export default handler(SaslAuthenticate, ({ authBytes }, context) => {
  const step = continueLogin(context, authBytes)
  if (step.result === 'answer') return { errorCode: ErrorCode.NONE, errorMessage: null, authBytes: step.bytes }
  if (step.result === 'unexpected') {
    const errorMessage = 'SaslHandshake comes before SaslAuthenticate'
    return { errorCode: ErrorCode.ILLEGAL_SASL_STATE, errorMessage, authBytes: none }
  }
  // After this answer, and whatever was asked before it.
  context.peer.finish()
  const errorMessage = `Authentication failed due to invalid credentials with SASL mechanism ${scramMechanism}`
  return { errorCode: ErrorCode.SASL_AUTHENTICATION_FAILED, errorMessage, authBytes: none }
})
