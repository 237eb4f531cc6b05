import { ErrorCode } from '../../protocol/errors.ts'
import { SaslHandshake } from '../../protocol/messages/sasl-handshake.ts'
import { scramMechanism } from '../../security/scram.ts'
import { handler } from '../handler.ts'
import { beginLogin } from '../sasl.ts'

const mechanisms = [scramMechanism]

/** Chooses how to prove who one is. Nodes of the cluster do; clients need not, and have nothing to prove with yet (KIP-43, 152). */
export default handler(SaslHandshake, ({ mechanism }, context) => {
  if (mechanism !== scramMechanism) return { errorCode: ErrorCode.UNSUPPORTED_SASL_MECHANISM, mechanisms }
  return { errorCode: beginLogin(context) ? ErrorCode.NONE : ErrorCode.ILLEGAL_SASL_STATE, mechanisms }
})
