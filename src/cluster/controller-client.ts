import { Host } from '../machine/host.ts'
import type { HostOptions, Refusal } from '../machine/host-options.ts'
import { KafkaError } from '../protocol/errors.ts'
import type { Answer, Command, CommandName, CommandRequest, CommandResponse, Fact } from './commands/command.ts'
import type { ControllerSettings } from './commands/context.ts'
import { Controller, refuseCommand } from './controller.ts'
import { latestMetadataVersion } from './features.ts'
import type { Orderer } from './orderer/orderer.ts'
import { encodeRecord, type MetadataRecord } from './records/records.ts'

export type ControllerOptions = Pick<
  HostOptions<Command, Fact, Answer>,
  'clock' | 'timers' | 'random' | 'logger' | 'observer' | 'onLead' | 'maxWaiting'
> & {
  readonly orderer: Orderer
  /** See `sureMsOf`. */
  readonly sureMs: number
  readonly settings: ControllerSettings
  /** The first records of a cluster that has none: `bootstrapRecords()`. */
  readonly bootstrap: readonly MetadataRecord[]
  /** Bytes of records after which the log is replaced by a snapshot (`metadata.log.max.record.bytes.between.snapshots`). */
  readonly snapshotBytes: number
}

/**
 * ms after `Orderer.wholeAsOf` for which a leader cannot have a successor. Raft's followers wait for the fetch timeout
 * before they stand, and their Fetches come at least every half of a second; the end of a lease is its end.
 */
export function sureMsOf(orderer: string, fetchTimeoutMs: number): number {
  return orderer === 'raft' ? (fetchTimeoutMs * 2) / 3 : 0
}

/** The controller of this node: commands in, responses out, whatever happens. */
export class ControllerClient {
  readonly #host: Host<Command, Fact, Answer>
  readonly #orderer: Orderer
  readonly #now: () => number
  readonly #sureMs: number

  constructor(options: ControllerOptions) {
    const { orderer, settings, bootstrap, snapshotBytes, sureMs, ...world } = options
    this.#orderer = orderer
    this.#now = () => world.clock.mono()
    this.#sureMs = sureMs
    this.#host = new Host<Command, Fact, Answer>({
      ...world,
      log: orderer,
      machine: () => new Controller(settings, bootstrap),
      refuse: (why, command, error) => refuseCommand(command, refusal(why, error)),
      compaction: { records: Number.POSITIVE_INFINITY, bytes: snapshotBytes, sizeOf, whileFollowing: true },
    })
  }

  /** True when this node decides. */
  get leading(): boolean {
    return this.#host.leading
  }

  /** Never rejects: what goes wrong stands in the response, NOT_CONTROLLER when this node does not decide. */
  ask<Name extends CommandName>(name: Name, request: CommandRequest<Name>): Promise<CommandResponse<Name>> {
    const command = { do: name, request } as unknown as Command
    if (name === 'brokerHeartbeat' && this.#host.leading && !this.#leadsForSure())
      return Promise.resolve(refuseCommand(command, refusal('notLeader', undefined)) as CommandResponse<Name>)
    return this.#host.submit(command) as Promise<CommandResponse<Name>>
  }

  /**
   * A broker that is heard believes for a session that nobody has taken over what it leads. So who may have been deposed
   * himself must not answer it: a successor lets a session pass, too, but from when it was elected on.
   */
  #leadsForSure(): boolean {
    return this.#now() - this.#orderer.wholeAsOf() <= this.#sureMs
  }

  /** Replaces the log by a snapshot now. */
  compact(): void {
    this.#host.compact()
  }

  stop(): void {
    this.#host.stop()
  }
}

function refusal(why: Refusal, error: Error | undefined): KafkaError {
  if (error instanceof KafkaError) return error
  switch (why) {
    case 'notLeader':
      return new KafkaError('NOT_CONTROLLER', 'This node does not decide about metadata now; ask again.')
    case 'overloaded':
      return new KafkaError('REQUEST_TIMED_OUT', 'Too many changes of metadata are waiting; ask again later.')
    case 'failed':
      return new KafkaError('UNKNOWN_SERVER_ERROR', error?.message)
  }
}

/** Bytes that a record takes in the log, roughly: what comes in numbers is not written twice to be measured. */
function sizeOf(record: MetadataRecord): number {
  switch (record.type) {
    case 'PartitionRecord':
      return 60 + 24 * record.replicas.length
    case 'PartitionChangeRecord':
      return 40
    case 'TopicRecord':
      return 35 + record.name.length
    case 'ConfigRecord':
      return 20 + record.resourceName.length + record.name.length + (record.value?.length ?? 0)
    default:
      return 10 + encodeRecord(record, latestMetadataVersion).length
  }
}
