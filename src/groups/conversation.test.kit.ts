import { errorName } from '../protocol/errors.ts'
import { ConsumerProtocolSubscription } from '../protocol/messages/consumer-protocol.ts'
import { ZERO_UUID } from '../protocol/uuid.ts'
import type {
  Answers,
  FetchCommand,
  GroupAnswer,
  GroupCommand,
  JoinGroupRequest,
  JoinGroupResponse,
  OffsetCommitRequest,
  SyncGroupResponse,
} from './commands.ts'
import { Refused } from './commands.ts'
import { subscribedTopicsOf } from './consumer-protocol.ts'
import type { GroupRecord } from './facts.ts'

/** For tests: groups that talk. A script says who asks what, the transcript what came of it. */

/** `topics:t+u` stands for a consumer's subscription to t and u, anything else for itself. */
export function bytesOf(text: string): Uint8Array {
  if (!text.startsWith('topics:')) return new TextEncoder().encode(text)
  const topics = text.slice('topics:'.length).split('+')
  return Buffer.concat([Buffer.from([0, 0]), ConsumerProtocolSubscription.toBytes(0, { topics, userData: null })])
}

function text(bytes: Uint8Array | readonly Uint8Array[]): string {
  const all = bytes instanceof Uint8Array ? bytes : Buffer.concat(bytes)
  const topics = subscribedTopicsOf(all)
  return topics === null ? Buffer.from(all).toString() : `topics:${topics.join('+')}`
}

type Options = Readonly<Record<string, string>>

/** Who is talked to: a machine in this process, or a broker somewhere. */
export interface Listener {
  /** `who` asks, each on its own connection. `reply` is called at once or later. */
  ask(who: string, command: GroupCommand, reply: (answer: GroupAnswer) => void): void
  advance(ms: number): void
  /** The lead goes and comes back, with other settings: what was not in the log is forgotten. */
  reload(settings: Readonly<Record<string, number>>): void
}

/**
 * One group, named g unless `group=` says otherwise. Members are called by their client id
 * or instance id; a second member of that name is `name#2`. A line of the script is a command; lines that begin with a
 * blank are what is expected of it.
 *
 *     join a [v=9] [id=…] [instance=…] [session=…] [rebalance=…] [type=…] [protocols=range(x),rr(y)]
 *     sync a [assign=a:x,b:y] [gen=…]       heartbeat a [gen=…]       leave a,b [v=…]
 *     commit a|- t-0=5,t-1=7 [gen=…] [retention=…]       fetch [t-0,t-1]       forget t-0 (OffsetDelete)
 *     describe       list [states=…] [types=…]       delete       topics-deleted t
 *     advance 1000       reload       config groupMaxSize=2
 */
export class Conversation {
  readonly #ids = new Map<string, string>()
  readonly #generations = new Map<string, number>()
  readonly #names = new Map<string, string>()
  readonly #listener: Listener
  #speaker = ''
  #lines: string[] = []

  constructor(listener: Listener) {
    this.#listener = listener
  }

  /** The whole transcript: the script's commands, each followed by what really happened. */
  run(script: string): string {
    this.#lines = []
    for (const line of script.split('\n')) {
      const trimmed = line.trim()
      if (trimmed === '' || trimmed.startsWith('#')) this.#lines.push(trimmed)
      else if (!line.startsWith(' ')) {
        this.#lines.push(trimmed)
        this.#command(trimmed)
      }
    }
    return this.#lines.join('\n')
  }

  /**
   * As `run`, with somebody who takes time: after each command `settle` waits for whatever comes of it. Answers come in
   * any order, and leaders learn of members in any order, so both are sorted.
   */
  async runSlowly(script: string, settle: () => Promise<void>): Promise<string[]> {
    const transcript: string[] = []
    for (const line of script.split('\n')) {
      const command = line.trim()
      if (command === '' || command.startsWith('#')) continue
      this.#lines = []
      this.#command(command)
      await settle()
      transcript.push(command, ...this.#lines.sort())
    }
    return transcript
  }

  #command(line: string): void {
    const [verb = '', ...rest] = line.split(' ')
    const isOption = (word: string): boolean => word.includes('=') && !/^[\w.]+-\d+=/.test(word)
    const options = Object.fromEntries(
      rest.filter(isOption).map(word => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]),
    )
    const [first = '', second = ''] = rest.filter(word => !isOption(word))
    this.#speaker = first
    const act = this.#verbs[verb]
    if (act === undefined) throw new Error(`what is ${verb}?`)
    act(first, options, second)
  }

  readonly #verbs: Record<string, (who: string, options: Options, what: string) => void> = {
    join: (who, options) => this.#join(who, options),
    sync: (who, options) => this.#sync(who, options),
    heartbeat: (who, options) => this.#heartbeat(who, options),
    leave: (who, options) => this.#leave(who.split(','), options),
    commit: (who, options, offsets) => this.#commit(who, offsets, options),
    fetch: (which, options) => this.#fetch(which, options),
    forget: (which, options) => this.#forget(which, options),
    describe: (_, options) => this.#describe(options),
    list: (_, options) => this.#list(options),
    delete: (_, options) => {
      this.#ask<'DeleteGroups'>({ type: 'DeleteGroups', groups: [options.group ?? 'g'] }, results => {
        for (const { groupId, errorCode } of results) this.#say(`${groupId}: ${outcome(errorCode)}`)
      })
    },
    'topics-deleted': topic =>
      this.#ask<'TopicsDeleted'>({ type: 'TopicsDeleted', topics: [topic], idOf: () => undefined }, () => {}),
    advance: ms => this.#listener.advance(Number(ms)),
    reload: () => this.#listener.reload({}),
    config: (_, options) => {
      const settings = Object.entries(options).map(([name, value]) => [name, Number(value)])
      this.#listener.reload(Object.fromEntries(settings))
    },
  }

  #say(line: string): void {
    this.#lines.push(`  ${line}`)
  }

  #ask<Type extends keyof Answers>(
    command: Extract<GroupCommand, { type: Type }>,
    then: (answer: Answers[Type]) => void,
  ): void {
    this.#listener.ask(this.#speaker, command, answer => {
      if (answer instanceof Refused) this.#say(`refused: ${answer.why}`)
      else then(answer as Answers[Type])
    })
  }

  #memberId(who: string, options: Options): string {
    if (options.id === 'new') return ''
    return options.id ?? this.#ids.get(who) ?? ''
  }

  #generation(who: string, options: Options): number {
    return options.gen === undefined ? (this.#generations.get(who) ?? -1) : Number(options.gen)
  }

  #join(who: string, options: Options): void {
    const version = Number(options.v ?? 9)
    const request: JoinGroupRequest = {
      groupId: options.group ?? 'g',
      sessionTimeoutMs: Number(options.session ?? 10_000),
      rebalanceTimeoutMs: Number(options.rebalance ?? (version === 0 ? -1 : 60_000)),
      memberId: this.#memberId(who, options),
      groupInstanceId: options.instance ?? null,
      protocolType: options.type ?? 'consumer',
      protocols: (options.protocols ?? `range(${who})`).split(',').map(protocol => {
        const [, name = protocol, metadata = ''] = /^(\w*)\((.*)\)$/.exec(protocol) ?? []
        return { name, metadata: bytesOf(metadata) }
      }),
      reason: options.reason ?? null,
    }
    const command = { type: 'JoinGroup', version, request, clientId: who, clientHost: '/127.0.0.1' } as const
    this.#ask<'JoinGroup'>(command, answer => this.#joined(who, answer))
  }

  #joined(who: string, answer: JoinGroupResponse): void {
    const error = errorName(answer.errorCode)
    if (answer.memberId !== '' && (error === 'NONE' || error === 'MEMBER_ID_REQUIRED'))
      this.#ids.set(who, answer.memberId)
    const name = answer.memberId === '' ? who : this.#name(answer.memberId)
    if (error !== 'NONE') {
      this.#say(`${name}: ${error}`)
      return
    }
    this.#generations.set(who, answer.generationId ?? -1)
    const members = answer.members.map(({ memberId, metadata }) => `${this.#name(memberId)}(${text(metadata)})`).sort()
    const all = members.length === 0 ? '' : `, members ${members.join(' ')}`
    const skip = answer.skipAssignment ? ', no need to assign' : ''
    this.#say(
      `${name}: generation ${answer.generationId}, ${answer.protocolName}, leader ${this.#name(answer.leader)}${all}${skip}`,
    )
  }

  #sync(who: string, options: Options): void {
    const assignments = (options.assign ?? '')
      .split(',')
      .filter(Boolean)
      .map(pair => {
        const [name = '', assignment = ''] = pair.split(':')
        return { memberId: this.#idOf(name), assignment: bytesOf(assignment) }
      })
    const request = {
      groupId: options.group ?? 'g',
      generationId: this.#generation(who, options),
      memberId: this.#memberId(who, options),
      groupInstanceId: options.instance ?? null,
      protocolType: options.type ?? null,
      protocolName: options.protocol ?? null,
      assignments,
    }
    this.#ask<'SyncGroup'>({ type: 'SyncGroup', version: Number(options.v ?? 4), request }, answer =>
      this.#synced(who, answer),
    )
  }

  #synced(who: string, { errorCode, assignment }: SyncGroupResponse): void {
    const error = errorName(errorCode)
    this.#say(error === 'NONE' ? `${who}: assigned "${text(assignment)}"` : `${who}: ${error}`)
  }

  #heartbeat(who: string, options: Options): void {
    const request = {
      groupId: options.group ?? 'g',
      generationId: this.#generation(who, options),
      memberId: this.#memberId(who, options),
      groupInstanceId: options.instance ?? null,
    }
    this.#ask<'Heartbeat'>({ type: 'Heartbeat', request }, ({ errorCode }) =>
      this.#say(`${who}: ${outcome(errorCode)}`),
    )
  }

  /** `a` leaves by its member id; `/i` is thrown out by its instance id. */
  #leave(leavers: readonly string[], options: Options): void {
    const version = Number(options.v ?? 5)
    const members = leavers.map(who => ({
      memberId: who.startsWith('/') ? '' : this.#memberId(who, options),
      groupInstanceId: who.startsWith('/') ? who.slice(1) : (options.instance ?? null),
      reason: null,
    }))
    const request = { groupId: options.group ?? 'g', memberId: members[0]!.memberId, members }
    this.#ask<'LeaveGroup'>({ type: 'LeaveGroup', version, request }, answer => {
      const all = answer.members ?? []
      if (all.length === 0) this.#say(`${leavers[0]}: ${outcome(answer.errorCode)}`)
      for (const [i, { errorCode }] of all.entries()) this.#say(`${leavers[i]}: ${outcome(errorCode)}`)
    })
  }

  #commit(who: string, offsets: string, options: Options): void {
    const topics: OffsetCommitRequest['topics'] = offsets.split(',').map(word => {
      const [, name = '', partition = '0', offset = '0'] = /^(.*)-(\d+)=(\d+)$/.exec(word) ?? []
      const committed = {
        committedOffset: Number(offset),
        committedLeaderEpoch: -1,
        committedMetadata: options.metadata ?? null,
      }
      const partitions = [{ partitionIndex: Number(partition), commitTimestamp: -1, ...committed }]
      return { name, topicId: ZERO_UUID, partitions }
    })
    const request: OffsetCommitRequest = {
      groupId: options.group ?? 'g',
      generationIdOrMemberEpoch: who === '-' ? Number(options.gen ?? -1) : this.#generation(who, options),
      memberId: who === '-' ? '' : this.#memberId(who, options),
      groupInstanceId: options.instance ?? null,
      retentionTimeMs: Number(options.retention ?? -1),
      topics,
    }
    this.#ask<'OffsetCommit'>({ type: 'OffsetCommit', version: Number(options.v ?? 9), request }, answer => {
      for (const { name, partitions } of answer.topics) {
        for (const { partitionIndex, errorCode } of partitions)
          this.#say(`${who}: ${name}-${partitionIndex} ${outcome(errorCode)}`)
      }
    })
  }

  #fetch(which: string, options: Options): void {
    const topics: FetchCommand['topics'] =
      which === ''
        ? null
        : which.split(',').map(word => {
            const [, name = '', partition = '0'] = /^(.*)-(\d+)$/.exec(word) ?? []
            return { name, topicId: ZERO_UUID, partitionIndexes: [Number(partition)] }
          })
    const command = {
      type: 'OffsetFetch',
      groupId: options.group ?? 'g',
      topics,
      requireStable: options.stable === 'true',
    } as const
    this.#ask<'OffsetFetch'>(command, answer => {
      if (answer.topics.length === 0) this.#say('no offsets')
      for (const { name, partitions } of answer.topics) {
        for (const { partitionIndex, committedOffset, errorCode, metadata } of partitions) {
          const note = metadata === '' ? '' : ` (${metadata})`
          this.#say(`${name}-${partitionIndex} ${errorCode === 0 ? committedOffset : errorName(errorCode)}${note}`)
        }
      }
    })
  }

  #forget(which: string, options: Options): void {
    const topics = which.split(',').map(word => {
      const [, name = '', partition = '0'] = /^(.*)-(\d+)$/.exec(word) ?? []
      return { name, partitions: [{ partitionIndex: Number(partition) }] }
    })
    this.#ask<'OffsetDelete'>({ type: 'OffsetDelete', request: { groupId: options.group ?? 'g', topics } }, answer => {
      if (answer.errorCode !== 0) this.#say(errorName(answer.errorCode))
      for (const { name, partitions } of answer.topics) {
        for (const { partitionIndex, errorCode } of partitions)
          this.#say(`${name}-${partitionIndex} ${outcome(errorCode)}`)
      }
    })
  }

  #describe(options: Options): void {
    const command = { type: 'DescribeGroups', version: Number(options.v ?? 5), groups: [options.group ?? 'g'] } as const
    this.#ask<'DescribeGroups'>(command, groups => {
      for (const group of groups) {
        const error = group.errorCode === 0 ? '' : `, ${errorName(group.errorCode)}`
        const what = [group.groupState, group.protocolType, group.protocolData].filter(Boolean).join(' ')
        this.#say(`${group.groupId}: ${what}${error}`)
        for (const { memberId, memberMetadata, memberAssignment } of group.members) {
          const said = `"${text(memberMetadata)}" assigned "${text(memberAssignment)}"`
          this.#say(`  ${this.#name(memberId)} ${said}`)
        }
      }
    })
  }

  #list(options: Options): void {
    const filter = (names: string | undefined): string[] => (names === undefined ? [] : names.split(','))
    const command = {
      type: 'ListGroups',
      statesFilter: filter(options.states),
      typesFilter: filter(options.types),
    } as const
    this.#ask<'ListGroups'>(command, groups => {
      for (const { groupId, groupState, protocolType } of groups)
        this.#say(`${groupId} ${groupState} ${protocolType || '-'}`)
      if (groups.length === 0) this.#say('no groups')
    })
  }

  /** Told of what goes into the log. */
  note(records: readonly GroupRecord[]): void {
    for (const record of records) this.#say(`log: ${this.#told(record)}`)
  }

  #told(record: GroupRecord): string {
    switch (record.kind) {
      case 'GroupMetadata': {
        const { groupId, value } = record
        if (value === null) return `group ${groupId} is gone`
        const members = value.members.map(member => `${this.#name(member.memberId)}="${text(member.assignment)}"`)
        if (members.length === 0) return `group ${groupId} generation ${value.generation}, no members`
        return `group ${groupId} generation ${value.generation}, ${value.protocol}, leader ${this.#name(value.leader ?? '')}, ${members.join(' ')}`
      }
      case 'OffsetCommit': {
        const { groupId, topic, partition, value } = record
        return `offset ${groupId} ${topic}-${partition} ${value === null ? 'is gone' : value.offset}`
      }
      default:
        return record.kind
    }
  }

  /** Member ids are a name and a random UUID. */
  #name(memberId: string): string {
    let name = this.#names.get(memberId)
    if (name === undefined) {
      const base = memberId.slice(0, -37) || memberId
      const taken = [...this.#names.values()].filter(other => other.replace(/#\d+$/, '') === base).length
      name = taken === 0 ? base : `${base}#${taken + 1}`
      this.#names.set(memberId, name)
    }
    return name
  }

  #idOf(name: string): string {
    for (const [memberId, known] of this.#names) if (known === name) return memberId
    return name
  }
}

function outcome(errorCode: number): string {
  return errorCode === 0 ? 'ok' : errorName(errorCode)
}
