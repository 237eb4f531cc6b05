import assert from 'node:assert/strict'
import { configSchema } from '../config/schema.ts'
import { dice } from '../machine/testing.ts'
import { errorName } from '../protocol/errors.ts'
import type { Command, CommandName, CommandRequest, CommandResponse } from './commands/command.ts'
import { type ControllerSettings, lonelySettings } from './commands/context.ts'
import { Controller } from './controller.ts'
import { bootstrapRecords, supportedFeatures } from './features.ts'
import { ring } from './placement/ring.ts'
import type { MetadataRecord } from './records/records.ts'
import type { ClusterState, PartitionState } from './state.ts'

const defaults: Record<string, string> = { 'min.insync.replicas': '1', flush: 'ack' }

export const testSettings: ControllerSettings = {
  ...lonelySettings,
  nodeId: 1,
  clusterId: 'cluster',
  schema: configSchema,
  placement: ring,
  numPartitions: 2,
  defaultReplicationFactor: 1,
  deleteTopicEnable: true,
  supportedFeatures,
  topicValue: (name, own) => own.get(name) ?? defaults[name] ?? null,
  describeTopic: own =>
    [...own].map(([name, value]) => ({ name, value, readOnly: false, configSource: 1, isSensitive: false })),
}

/** A uuid that can be told from others. */
export const uuid = (text: string) => text.padEnd(21, '-').concat('A')

/** A controller that leads, with commands as short as a test wants them. Nothing is ever lost; time stands still. */
export class TestController {
  readonly controller: Controller
  /** What the last command came to. */
  records: MetadataRecord[] = []
  /** Commands that time will bring, by their key; `fire` brings one. */
  readonly timers = new Map<string, { readonly afterMs: number; readonly then: Command }>()
  #offset = 0
  readonly #random = dice(1)

  constructor(more: Partial<ControllerSettings> = {}) {
    this.controller = new Controller({ ...testSettings, ...more }, bootstrapRecords())
    this.#carryOut(this.controller.lead({ ms: 1, random: this.#random }))
  }

  get state(): ClusterState {
    return this.controller.state
  }

  ask<Name extends CommandName>(name: Name, request: CommandRequest<Name>): CommandResponse<Name> {
    return this.#decide({ do: name, request } as unknown as Command) as CommandResponse<Name>
  }

  /** Time brings what it was asked to bring. */
  fire(key: string): void {
    const timer = this.timers.get(key)
    assert.ok(timer, `there is no timer ${key} among ${[...this.timers.keys()]}`)
    this.timers.delete(key)
    this.#decide(timer.then)
  }

  /** Another controller begins to lead with what is in the log. */
  elected(more: Partial<ControllerSettings> = {}): TestController {
    const next = new TestController(more)
    next.controller.state.clear()
    for (const record of this.state.records()) next.controller.apply(record, 0, this.#offset - 1)
    next.#offset = this.#offset
    next.#carryOut(next.controller.lead({ ms: 1, random: next.#random }))
    return next
  }

  /** Registers a broker and lets it catch up; returns its epoch, or its error code less than zero. */
  broker(brokerId: number, more: Partial<CommandRequest<'registerBroker'>> = {}): number {
    const epoch = this.register(brokerId, more)
    if (epoch >= 0 && this.state.brokers.get(brokerId)!.fenced) this.beat(brokerId, epoch)
    return epoch
  }

  register(brokerId: number, more: Partial<CommandRequest<'registerBroker'>> = {}): number {
    const { errorCode, brokerEpoch } = this.ask('registerBroker', {
      brokerId,
      clusterId: 'cluster',
      incarnationId: uuid(`${brokerId}i`),
      listeners: [{ name: 'PLAINTEXT', host: 'localhost', port: 9092, securityProtocol: 0 }],
      features: [],
      rack: null,
      isMigratingZkBroker: false,
      logDirs: [uuid(`${brokerId}d`)],
      ...more,
    })
    return errorCode === 0 ? brokerEpoch! : -errorCode
  }

  /** A heartbeat of a broker that has applied everything. */
  beat(brokerId: number, brokerEpoch: number, more: Partial<CommandRequest<'brokerHeartbeat'>> = {}) {
    return this.ask('brokerHeartbeat', {
      brokerId,
      brokerEpoch,
      currentMetadataOffset: this.state.offset - 1,
      wantFence: false,
      wantShutDown: false,
      ...more,
    })
  }

  topic(name: string, more: Partial<CommandRequest<'createTopics'>['topics'][number]> = {}): string {
    const topic = { name, numPartitions: -1, replicationFactor: -1, assignments: [], configs: [], ...more }
    const response = this.ask('createTopics', { topics: [topic], validateOnly: false })
    const [result] = response.topics
    return result!.errorCode === 0 ? 'ok' : `${errorName(result!.errorCode)}: ${result!.errorMessage}`
  }

  /** A topic of one partition on these brokers. */
  topicOn(name: string, brokerIds: readonly number[], configs: Record<string, string> = {}): void {
    const more = {
      assignments: [{ partitionIndex: 0, brokerIds }],
      configs: Object.entries(configs).map(([name, value]) => ({ name, value })),
    }
    assert.equal(this.topic(name, more), 'ok')
  }

  partition(topic: string, index = 0): PartitionState {
    return this.state.topics.get(topic)!.partitions[index]!
  }

  /** `leader@leaderEpoch isr|elr|lastKnown`, and what is on the move. */
  shown(topic: string, index = 0): string {
    const {
      leader,
      leaderEpoch,
      isr,
      eligibleLeaderReplicas: elr,
      lastKnownElr,
      ...rest
    } = this.partition(topic, index)
    const moving = rest.addingReplicas.length + rest.removingReplicas.length > 0
    const move = moving ? ` of ${rest.replicas} +${rest.addingReplicas} -${rest.removingReplicas}` : ''
    return `${leader}@${leaderEpoch} ${isr}|${elr}|${lastKnownElr}${rest.leaderRecoveryState === 1 ? ' recovering' : ''}${move}`
  }

  append(...records: MetadataRecord[]): void {
    this.records = records
    for (const record of records) this.controller.apply(record, 0, this.#offset++)
  }

  #decide(command: Command): unknown {
    const decision = this.controller.decide(command, { ms: 1, random: this.#random })
    return this.#carryOut(decision)
  }

  #carryOut({ records, soft = [], effects }: ReturnType<Controller['decide']>): unknown {
    this.append(...records)
    for (const fact of soft) this.controller.apply(fact, 0, this.#offset)
    let answer: unknown
    for (const effect of effects) {
      if (effect.do === 'answer') answer = effect.answer
      else if (effect.do === 'timer') this.timers.set(effect.key, effect)
      else if (effect.do === 'cancel') this.timers.delete(effect.key)
    }
    return answer
  }
}
