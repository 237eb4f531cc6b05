import { ErrorCode, KafkaError } from '../protocol/errors.ts'
import type { Clock, Timers } from '../world/world.ts'
import { apiOf, inNewestVersion } from './command-apis.ts'
import type { Answer, Command, CommandName, CommandRequest, CommandResponse } from './commands/command.ts'
import type { CommittedMetadata } from './committed.ts'
import { refuseCommand } from './controller.ts'
import type { ControllerClient } from './controller-client.ts'
import type { Orderer } from './orderer/orderer.ts'
import type { Peers } from './peers.ts'
import { isVisible } from './visible.ts'

export interface ForwardingOptions {
  readonly nodeId: number
  /** Decides when this node leads. */
  readonly local: Pick<ControllerClient, 'ask' | 'leading'>
  readonly orderer: Pick<Orderer, 'leader' | 'onLeader'>
  readonly peers: Pick<Peers, 'send'>
  readonly metadata: Pick<CommittedMetadata, 'state' | 'until'>
  readonly clock: Clock
  readonly timers: Timers
  /** ms that a question may take when neither it nor its asker says. */
  readonly timeoutMs?: number
  /** Questions that wait for a leader or its answer; more are refused. */
  readonly maxWaiting?: number
}

/** ms before a leader is asked again that did not answer, or is not one (yet). */
const retryMs = 50
const defaultTimeoutMs = 15_000
const mostMs = 60_000
/** ms that one attempt may take: a leader that was stopped answers never. */
const attemptMs = 10_000
/** ms that an answer waits until this node, too, has what it speaks of: its client will ask here next. */
const visibleMs = 1_000
/** Those that must not wait behind others. */
const lanes: Partial<Record<CommandName, string>> = {
  registerBroker: 'session',
  brokerHeartbeat: 'session',
  alterPartition: 'isr',
}

/**
 * The controller as every node offers it (KIP-590): decided here when this node leads, else asked of the one that does,
 * with the same API over a connection between nodes. When the lead is lost or the answer does not come, the new leader is
 * asked, until the time is over; so a change may be asked for twice, as by any client that tries again.
 */
export class ForwardingController {
  readonly #options: ForwardingOptions
  #waiting = 0
  #stopped = false

  constructor(options: ForwardingOptions) {
    this.#options = options
  }

  /** Never rejects: what goes wrong stands in the response. */
  async ask<Name extends CommandName>(
    name: Name,
    request: CommandRequest<Name>,
    options: { timeoutMs?: number } = {},
  ): Promise<CommandResponse<Name>> {
    const { local, maxWaiting = 10_000 } = this.#options
    const timeoutMs = this.#timeoutMs(request, options.timeoutMs)
    if (local.leading) {
      const answer = await this.#inTime(local.ask(name, request), timeoutMs)
      if (answer === null) return refused(name, request, uncommitted())
      if (!isNotController(answer)) return answer
    }
    if (this.#waiting >= maxWaiting)
      return refused(name, request, new KafkaError('REQUEST_TIMED_OUT', 'Too many changes of metadata are waiting.'))
    this.#waiting++
    try {
      return await this.#askUntil(name, request, timeoutMs)
    } finally {
      this.#waiting--
    }
  }

  stop(): void {
    this.#stopped = true
  }

  #timeoutMs(request: object, asked: number | undefined): number {
    const own = (request as { timeoutMs?: unknown }).timeoutMs
    const wanted = asked ?? (typeof own === 'number' && own > 0 ? own : undefined)
    return Math.min(mostMs, wanted ?? this.#options.timeoutMs ?? defaultTimeoutMs)
  }

  async #askUntil<Name extends CommandName>(
    name: Name,
    request: CommandRequest<Name>,
    timeoutMs: number,
  ): Promise<CommandResponse<Name>> {
    const { clock } = this.#options
    const deadline = clock.mono() + timeoutMs
    let last = new KafkaError('NOT_CONTROLLER', 'There is no controller now; ask again.')
    while (!this.#stopped) {
      const left = deadline - clock.mono()
      if (left <= 0) break
      const leader = await this.#leader(left)
      if (leader === null) break
      try {
        const answer = await this.#askLeader(leader, name, request, Math.min(deadline - clock.mono(), attemptMs))
        if (!isNotController(answer)) return answer
        last = new KafkaError('NOT_CONTROLLER', `Node ${leader} does not decide about metadata now; ask again.`)
      } catch (error) {
        if (!(error instanceof KafkaError) || !mayPass(error)) throw error
        last = error
      }
      await this.#pause(Math.min(retryMs, deadline - clock.mono()))
    }
    return refused(name, request, last.errorName === 'NOT_CONTROLLER' ? last : timedOut(last))
  }

  async #askLeader<Name extends CommandName>(
    leader: number,
    name: Name,
    request: CommandRequest<Name>,
    timeoutMs: number,
  ): Promise<CommandResponse<Name>> {
    const { nodeId, local, peers, metadata, timers } = this.#options
    const load = apiOf(name)
    if (leader === nodeId || load === null) {
      const answer = await this.#inTime(local.ask(name, request), timeoutMs)
      return answer ?? refused(name, request, uncommitted())
    }
    const api = await load()
    const options = { lane: lanes[name] ?? 'admin', timeoutMs: Math.max(1, timeoutMs) }
    const sent = peers.send(leader, api, inNewestVersion(name, request) as never, options)
    const answer = (await this.#unlessDeposed(leader, sent)) as CommandResponse<Name>
    await metadata.until(() => isVisible(name, request, answer, metadata.state), visibleMs, timers)
    return answer
  }

  /** Rejects with NOT_CONTROLLER as soon as somebody else leads: the answer may never come. */
  #unlessDeposed<T>(leader: number, answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const unwatch = this.#options.orderer.onLeader(now => {
        if (now !== null && now.id !== leader) reject(new KafkaError('NOT_CONTROLLER', `Node ${leader} was deposed.`))
      })
      answer.then(resolve, reject).finally(unwatch)
    })
  }

  /** Null when nobody leads before `withinMs` are over. */
  #leader(withinMs: number): Promise<number | null> {
    const { orderer, timers } = this.#options
    const now = orderer.leader()
    if (now !== null) return Promise.resolve(now.id)
    return new Promise(resolve => {
      const done = (id: number | null) => {
        timer.cancel()
        unwatch()
        resolve(id)
      }
      const timer = timers.after(withinMs, () => done(null))
      const unwatch = orderer.onLeader(leader => {
        if (leader !== null) done(leader.id)
      })
    })
  }

  /** Null when a leader that nobody follows any more cannot commit what it decided. */
  #inTime<T>(answer: Promise<T>, timeoutMs: number): Promise<T | null> {
    return new Promise((resolve, reject) => {
      const timer = this.#options.timers.after(timeoutMs, () => resolve(null))
      answer.then(resolve, reject).finally(() => timer.cancel())
    })
  }

  #pause(ms: number): Promise<void> {
    return new Promise(resolve => this.#options.timers.after(Math.max(1, ms), resolve))
  }
}

/** Another attempt may meet another leader, or the same one in a better state. */
const mayPass = (error: KafkaError): boolean =>
  error.retriable || error.errorName === 'SASL_AUTHENTICATION_FAILED' || error.errorName === 'REBOOTSTRAP_REQUIRED'

const uncommitted = (): KafkaError =>
  new KafkaError('REQUEST_TIMED_OUT', 'What was decided could not be made safe in time; it may still be done.')

const timedOut = (cause: KafkaError): KafkaError =>
  new KafkaError('REQUEST_TIMED_OUT', `The controller did not answer in time: ${cause.message}`)

function refused<Name extends CommandName>(
  name: Name,
  request: CommandRequest<Name>,
  error: KafkaError,
): CommandResponse<Name> {
  return refuseCommand({ do: name, request } as unknown as Command, error) as CommandResponse<Name>
}

/** A command that is refused as a whole says so at the top, or in each of its parts. */
export function isNotController(answer: Answer): boolean {
  const { errorCode } = answer as { errorCode?: number }
  if (errorCode !== undefined) return errorCode === ErrorCode.NOT_CONTROLLER
  for (const part of Object.values(answer))
    if (Array.isArray(part) && part.length > 0)
      return (part[0] as { errorCode?: number }).errorCode === ErrorCode.NOT_CONTROLLER
  return false
}
