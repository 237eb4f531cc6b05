import { ErrorCode, errorName, isRetriable, KafkaError } from '../protocol/errors.ts'
import { ProtocolError } from '../protocol/protocol-error.ts'
import type { Logger } from '../world/logger.ts'
import type { Clock, Timer, Timers } from '../world/world.ts'
import type { CommandRequest, CommandResponse } from './commands/command.ts'
import type { CommittedMetadata } from './committed.ts'
import type { ForwardingController } from './forwarding.ts'
import type { MetadataRecord } from './records/records.ts'
import type { BrokerState } from './state.ts'

type Registration = CommandRequest<'registerBroker'>
type HeartbeatAnswer = CommandResponse<'brokerHeartbeat'>

export interface LifecycleOptions {
  readonly nodeId: number
  /** Of this process. */
  readonly incarnationId: string
  readonly controller: Pick<ForwardingController, 'ask'>
  readonly metadata: Pick<CommittedMetadata, 'state' | 'subscribe' | 'until'>
  /** What this node says of itself. */
  readonly registration: () => Omit<Registration, 'brokerId' | 'incarnationId'>
  readonly clock: Clock
  readonly timers: Timers
  readonly logger: Logger
  /** ms between heartbeats, ms that the controller waits for one (`broker.heartbeat.interval.ms`, `broker.session.timeout.ms`). */
  readonly heartbeatMs: number
  readonly sessionMs: number
  /** Monotonic ms: all that was committed by then `metadata` has (`Orderer.wholeAsOf`). */
  readonly wholeAsOf: () => number
  /** ms that a node may try to register (`initial.broker.registration.timeout.ms`) when another one has its id. */
  readonly registrationMs: number
  /** The cluster does not know this node any more, or knows another one by its number: it must stop. */
  readonly failed: (error: Error) => void
}

/** ms between attempts that failed, and between questions whether we may go. */
const retryMs = 100
const goodbyeMs = 10
/** ms without a controller's answer after which who wants to go goes: longer than an election. */
const deafMs = 1_200
/** ms after which whoever waits is told what for. */
const impatientMs = 5_000

/**
 * A broker's life as the controller sees it (KIP-631): it registers, says that it lives, is unfenced when it has caught up
 * with the metadata, and asks for leave before it goes.
 */
export class BrokerLifecycle {
  readonly #options: LifecycleOptions
  #brokerEpoch = -1
  /** Monotonic ms: when the last heartbeat was sent that the controller has answered. */
  #answeredAt = Number.NEGATIVE_INFINITY
  /** Monotonic ms: answers count when the metadata is whole as of then. */
  #countsFrom = Number.NEGATIVE_INFINITY
  #serving = false
  #stopped = false
  #leaving = false
  #beating = false
  #hurried = false
  #timer: Timer | null = null
  #wasUnfenced = false
  #isMisunderstood = false

  constructor(options: LifecycleOptions) {
    this.#options = options
    options.metadata.subscribe({
      load: () => this.#changed([]),
      commit: (_, records) => this.#changed(records),
    })
  }

  /** −1 before the registration. */
  get brokerEpoch(): number {
    return this.#brokerEpoch
  }

  /**
   * Nobody can have taken over what we lead without our knowing: the controller lets a session pass since it heard us last,
   * and it has heard us within one. False after a pause or a cut, until we are heard again and have learned what was
   * decided meanwhile. Who is alone, as of a moment ago, has nobody who could.
   */
  get isHeard(): boolean {
    const { clock, sessionMs, wholeAsOf } = this.#options
    const now = clock.mono()
    const whole = wholeAsOf()
    if (whole >= this.#countsFrom) this.#countsFrom = Number.NEGATIVE_INFINITY
    const counts = this.#countsFrom === Number.NEGATIVE_INFINITY
    return (counts && now - this.#answeredAt < sessionMs) || (!this.#hasOthers() && now - whole < sessionMs)
  }

  /** As the committed metadata has it: this life of the broker may lead. */
  get unfenced(): boolean {
    const own = this.#own()
    return own !== undefined && !own.fenced
  }

  /**
   * Fulfilled when our registration is in the metadata: whatever it says from there on speaks of this life of ours.
   * `brokerEpoch`: of a registration that was made already. Rejects when the cluster will not have us.
   */
  async register(brokerEpoch = -1): Promise<void> {
    this.#brokerEpoch = brokerEpoch >= 0 ? brokerEpoch : await this.#register()
    for (;;) {
      const decided = () => this.#own() !== undefined || this.#isDisplaced()
      await this.#until(decided, 'waiting for the metadata of the cluster')
      if (this.#own() !== undefined) return
      // What our former life asked for came late. Where another directory has our number, the controller refuses us now.
      this.#brokerEpoch = await this.#register()
    }
  }

  /** Says that we live from now on; fulfilled when the controller lets us serve. */
  async serve(): Promise<void> {
    this.#wasUnfenced = this.unfenced
    this.#answeredAt = this.#options.clock.mono()
    this.#serving = true
    // The first heartbeat says how far we are, where that is not known already.
    if (this.unfenced) this.#rest()
    else this.#beat()
    await this.#until(() => this.unfenced, 'waiting for the controller to let this node serve')
  }

  async #until(holds: () => boolean, what: string): Promise<void> {
    const { metadata, timers, logger, nodeId } = this.#options
    while (!(await metadata.until(() => holds() || this.#stopped, impatientMs, timers))) logger.info(what, { nodeId })
    if (this.#stopped) throw new Error('the node is stopping')
  }

  /**
   * Others lead what we led when fulfilled, or `withinMs` are over. We must serve until then: they fetch from us what they
   * lack.
   */
  async leave(withinMs: number): Promise<void> {
    if (this.#brokerEpoch < 0 || this.#stopped || !this.#hasOthers()) return
    this.#leaving = true
    this.#timer?.cancel()
    const { clock, timers } = this.#options
    const deadline = clock.mono() + withinMs
    let heard = clock.mono()
    while (!this.#stopped && clock.mono() < deadline) {
      const { errorCode, shouldShutDown } = await this.#ask(Math.max(1, Math.min(deadline - clock.mono(), deafMs)))
      if (errorCode === ErrorCode.NONE && shouldShutDown === true) return
      if (errorCode !== ErrorCode.NONE && !isRetriable(errorCode)) return
      if (errorCode === ErrorCode.NONE) heard = clock.mono()
      // Where everybody stops, the last ones find nobody who decides.
      else if (clock.mono() - heard >= deafMs) return
      await new Promise<void>(resolve => timers.after(goodbyeMs, resolve))
    }
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
  }

  async #register(): Promise<number> {
    const { controller, registration, nodeId, incarnationId, clock, timers, logger, registrationMs } = this.#options
    const begun = clock.mono()
    let said = begun
    for (;;) {
      const request = { ...registration(), brokerId: nodeId, incarnationId }
      const answer = await controller.ask('registerBroker', request, { timeoutMs: impatientMs })
      const { errorCode = ErrorCode.NONE, brokerEpoch = -1 } = answer
      if (errorCode === ErrorCode.NONE) return brokerEpoch
      if (this.#stopped) throw new Error('the node is stopping')
      const waited = clock.mono() - begun
      const duplicate = errorCode === ErrorCode.DUPLICATE_BROKER_REGISTRATION
      if (duplicate ? waited > registrationMs : !isRetriable(errorCode)) throw refusal(errorCode, nodeId, this.#known())
      if (clock.mono() - said > impatientMs || (duplicate && said === begun)) {
        said = clock.mono()
        const reason = duplicate ? `a node with number ${nodeId} still counts as running` : errorName(errorCode)
        logger.info('waiting to be registered with the cluster', { nodeId, reason })
      }
      await new Promise<void>(resolve => timers.after(retryMs, resolve))
    }
  }

  #known(): BrokerState | undefined {
    return this.#options.metadata.state.brokers.get(this.#options.nodeId)
  }

  /** Our registration, if it is the one that counts. */
  #own(): BrokerState | undefined {
    const known = this.#known()
    return known !== undefined && known.incarnationId === this.#options.incarnationId ? known : undefined
  }

  #hasOthers(): boolean {
    for (const { id, fenced } of this.#options.metadata.state.brokers.values())
      if (id !== this.#options.nodeId && !fenced) return true
    return false
  }

  /** Who waits to be unfenced, or for others to know that he may go, should not wait for the next heartbeat. */
  #changed(records: readonly MetadataRecord[]): void {
    if (!this.#serving || this.#stopped) return
    if (this.#isDisplaced()) {
      this.#giveUp(ErrorCode.STALE_BROKER_EPOCH)
      return
    }
    const { unfenced } = this
    if (this.#wasUnfenced && !unfenced && !this.#leaving && this.#own() !== undefined)
      this.#options.logger.warn('the controller did not hear this node and fenced it', { node: this.#options.nodeId })
    this.#wasUnfenced = unfenced
    const telling = (record: MetadataRecord) =>
      record.type === 'RegisterBrokerRecord' || record.type === 'BrokerRegistrationChangeRecord'
    if (!this.#leaving && records.some(telling)) this.#beat()
  }

  /**
   * Another process has our number now. What the metadata says of that number from here on speaks of it: we must not take
   * for ourselves what it is given to lead, so this is looked at before anybody else looks.
   */
  #isDisplaced(): boolean {
    const known = this.#known()
    return known !== undefined && known.epoch > this.#brokerEpoch && this.#own() === undefined
  }

  #rest(): void {
    this.#timer?.cancel()
    if (this.#stopped || this.#leaving) return
    this.#timer = this.#options.timers.after(this.#options.heartbeatMs, () => this.#beat())
  }

  #beat(): void {
    this.#timer?.cancel()
    if (this.#stopped || this.#leaving) return
    if (this.#beating) {
      this.#hurried = true
      return
    }
    this.#beating = true
    this.#hurried = false
    // A heartbeat that comes after the session is worth nothing: rather the next one.
    void this.#ask(Math.max(this.#options.heartbeatMs, this.#options.sessionMs / 2))
      .catch((error: unknown) => this.#misunderstood(error))
      .then(answer => {
        this.#beating = false
        if (answer !== null) this.#heard(answer)
        if (this.#hurried) this.#beat()
        else this.#rest()
      })
  }

  /** Who answers at the controller's address is of another release, or another program: the right one may be back soon. */
  #misunderstood(error: unknown): null {
    if (!(error instanceof KafkaError || error instanceof ProtocolError)) throw error
    if (!this.#stopped && !this.#isMisunderstood)
      this.#options.logger.warn('who is taken for the controller does not understand heartbeats', {
        error: error.message,
      })
    this.#isMisunderstood = true
    return null
  }

  async #ask(timeoutMs: number): Promise<HeartbeatAnswer> {
    const { controller, metadata, nodeId, clock } = this.#options
    const sent = clock.mono()
    const request = {
      brokerId: nodeId,
      brokerEpoch: this.#brokerEpoch,
      currentMetadataOffset: metadata.state.offset - 1,
      wantFence: false,
      wantShutDown: this.#leaving,
    }
    const answer = await controller.ask('brokerHeartbeat', request, { timeoutMs })
    if (answer.errorCode === ErrorCode.NONE) this.#answered(sent)
    return answer
  }

  /**
   * Who was silent for a session may have been fenced, and let in again by this very heartbeat, before it knows that others
   * lead what it led: then the answer counts when all that was decided until now is known.
   */
  #answered(sent: number): void {
    const { clock, sessionMs } = this.#options
    const now = clock.mono()
    const steady = now - this.#answeredAt < sessionMs
    this.#answeredAt = Math.max(this.#answeredAt, sent)
    if (!steady) this.#countsFrom = now
  }

  #giveUp(errorCode: number): void {
    this.#stopped = true
    this.#timer?.cancel()
    this.#options.failed(refusal(errorCode, this.#options.nodeId, this.#known()))
  }

  #heard({ errorCode }: HeartbeatAnswer): void {
    this.#isMisunderstood = false
    if (this.#stopped || this.#leaving) return
    if (errorCode !== ErrorCode.STALE_BROKER_EPOCH && errorCode !== ErrorCode.BROKER_ID_NOT_REGISTERED) return
    this.#giveUp(errorCode)
  }
}

/** In words: why the cluster will not have us. */
function refusal(errorCode: number, nodeId: number, known: BrokerState | undefined): Error {
  const [endpoint] = known?.endPoints ?? []
  const where = endpoint === undefined ? '' : ` (at ${endpoint.host}:${endpoint.port})`
  switch (errorCode) {
    case ErrorCode.DUPLICATE_BROKER_REGISTRATION:
    case ErrorCode.STALE_BROKER_EPOCH:
      return new Error(
        `two nodes have the number ${nodeId}: another one${where} is running; a data directory, or a copy of one, can ` +
          'serve one node only',
      )
    case ErrorCode.BROKER_ID_NOT_REGISTERED:
      return new Error(`node ${nodeId} was taken out of the cluster; to come back it needs an empty data directory`)
    case ErrorCode.INCONSISTENT_CLUSTER_ID:
      return new Error('the data directory belongs to another cluster')
    default:
      return new Error(`the node could not register itself: ${errorName(errorCode)}`)
  }
}
