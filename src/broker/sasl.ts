import { nodeUser } from '../security/join-token.ts'
import { ScramError, ScramServer } from '../security/scram.ts'
import type { Timer } from '../world/world.ts'
import type { Peer, RequestContext } from './handler.ts'

/** ms from the choice of a mechanism to the last proof. */
const finishMs = 10_000

interface Login {
  readonly scram: ScramServer
  readonly alarm: Timer
}

/** Conversations under way, one for each connection. */
const logins = new WeakMap<Peer, Login>()

/** A connection begins to prove who it is. It has a while; then it is closed. False: it has begun already, or is done. */
export function beginLogin({ node, broker, peer }: RequestContext): boolean {
  if (peer.node || logins.has(peer)) return false
  const { timers, random } = broker.world
  const alarm = timers.after(finishMs, () => {
    if (logins.delete(peer)) peer.finish()
  })
  peer.onClose(() => alarm.cancel())
  const scram = new ScramServer(user => (user === nodeUser ? node.joinToken() : null), random)
  logins.set(peer, { scram, alarm })
  return true
}

export type LoginStep =
  | { readonly result: 'answer'; readonly bytes: Uint8Array }
  /** Nothing was begun. */
  | { readonly result: 'unexpected' }
  | { readonly result: 'failed' }

/** The next message of a conversation. With the last one the connection is that of a node of the cluster. */
export function continueLogin({ broker, peer }: RequestContext, message: Uint8Array): LoginStep {
  const login = logins.get(peer)
  if (login === undefined) return { result: 'unexpected' }
  const { scram, alarm } = login
  try {
    const bytes = scram.next(message)
    if (scram.complete) {
      peer.node = true
      logins.delete(peer)
      alarm.cancel()
    }
    return { result: 'answer', bytes }
  } catch (error) {
    if (!(error instanceof ScramError)) throw error
    logins.delete(peer)
    alarm.cancel()
    broker.logger.warn('a connection did not prove the secret of the cluster', {
      client: peer.remote.host,
      reason: error.message,
    })
    return { result: 'failed' }
  }
}
