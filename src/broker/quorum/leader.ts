import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import type { Api, RequestInput, RequestOf, ResponseOf } from '../../protocol/schema.ts'
import type { Timers } from '../../world/world.ts'
import type { RequestContext } from '../handler.ts'
import type { Services } from '../services.ts'

/** ms that a request waits for somebody who leads, and between attempts. */
const patienceMs = 5000
const retryMs = 100

const moved = new Set<number>([ErrorCode.NOT_LEADER_OR_FOLLOWER, ErrorCode.NOT_CONTROLLER])

export interface AskOptions<A extends Api> {
  /** Answers that must wait for nothing else, or that may let others wait, have one of their own. */
  readonly lane?: string
  /** ms until it is given up. */
  readonly timeoutMs?: number
  /** The request as the leader gets it, which has `leftMs` for its answer. */
  readonly within?: (request: RequestOf<A>, leftMs: number) => RequestOf<A>
}

/**
 * What only the leader of the quorum can answer: `here` when that is us, else it is asked of the leader. What another node
 * asks is not passed on any further.
 */
export async function asLeader<A extends Api>(
  { node, peer, broker }: RequestContext,
  api: A,
  request: RequestOf<A>,
  here: () => ResponseOf<A> | Promise<ResponseOf<A>>,
  nobody: ResponseOf<A>,
  { lane = 'admin', timeoutMs = patienceMs, within = asked => asked }: AskOptions<A> = {},
): Promise<ResponseOf<A>> {
  const { clock, timers } = broker.world
  const deadline = clock.mono() + timeoutMs
  for (;;) {
    const leader = node.orderer.leader()?.id ?? -1
    if (leader === node.nodeId) return here()
    if (peer.node) return nobody
    if (leader >= 0) {
      try {
        const left = Math.max(1, deadline - clock.mono())
        const asked = within(request, left) as unknown as RequestInput<A>
        const sent = node.peers.send(leader, api, asked, { lane, timeoutMs: left })
        const answer = await unlessDeposed(node, leader, sent)
        if (!moved.has((answer as { errorCode?: number }).errorCode ?? 0)) return answer as unknown as ResponseOf<A>
      } catch (error) {
        if (!(error instanceof KafkaError)) throw error
        broker.logger.debug('the leader of the quorum did not answer', { leader, error: error.message })
      }
    }
    if (clock.mono() >= deadline || broker.stopping) return nobody
    await pause(node, timers)
  }
}

/** Rejects as soon as somebody else leads: the answer may never come. */
function unlessDeposed<T>(node: Services, leader: number, answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const unwatch = node.orderer.onLeader(now => {
      if (now !== null && now.id !== leader) reject(new KafkaError('NOT_CONTROLLER', `node ${leader} was deposed`))
    })
    answer.then(resolve, reject).finally(unwatch)
  })
}

/** Not longer than until somebody else leads. */
function pause(node: Services, timers: Timers): Promise<void> {
  return new Promise(resolve => {
    const done = () => {
      timer.cancel()
      unwatch()
      resolve()
    }
    const timer = timers.after(retryMs, done)
    const unwatch = node.orderer.onLeader(done)
  })
}
