import type { Connection } from '../client/connection.ts'
import { ErrorCode, errorName, KafkaError } from '../protocol/errors.ts'
import { SaslAuthenticate } from '../protocol/messages/sasl-authenticate.ts'
import { SaslHandshake } from '../protocol/messages/sasl-handshake.ts'
import type { Random } from '../world/world.ts'
import { nodeUser } from './join-token.ts'
import { ScramClient, ScramError, scramMechanism } from './scram.ts'

/** Proves on a new connection that we know the cluster's secret. Throws SASL_AUTHENTICATION_FAILED when it is not theirs. */
export function nodeLogin(token: () => string, random: Random): (connection: Connection) => Promise<void> {
  return async connection => {
    const handshake = await connection.request(SaslHandshake, { mechanism: scramMechanism }, { minVersion: 1 })
    if (handshake.errorCode !== ErrorCode.NONE) throw failed(errorName(handshake.errorCode))
    const scram = new ScramClient(nodeUser, token(), random)
    const send = async (authBytes: Uint8Array) => {
      const answer = await connection.request(SaslAuthenticate, { authBytes })
      if (answer.errorCode !== ErrorCode.NONE) throw failed(answer.errorMessage ?? errorName(answer.errorCode))
      return answer.authBytes
    }
    try {
      scram.verify(await send(scram.final(await send(scram.first()))))
    } catch (error) {
      throw error instanceof ScramError ? failed(error.message) : error
    }
  }
}

const failed = (why: string): KafkaError => new KafkaError('SASL_AUTHENTICATION_FAILED', why)
