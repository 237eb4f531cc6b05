// A broker in a conversation of groups: each command as a request of its API, on the speaker's own connection.
import type { GroupAnswer, GroupCommand } from '../../src/groups/commands.ts'
import { Refused } from '../../src/groups/commands.ts'
import type { Listener } from '../../src/groups/conversation.test.kit.ts'
import { DeleteGroups } from '../../src/protocol/messages/delete-groups.ts'
import { DescribeGroups } from '../../src/protocol/messages/describe-groups.ts'
import { FindCoordinator } from '../../src/protocol/messages/find-coordinator.ts'
import { Heartbeat } from '../../src/protocol/messages/heartbeat.ts'
import { JoinGroup } from '../../src/protocol/messages/join-group.ts'
import { LeaveGroup } from '../../src/protocol/messages/leave-group.ts'
import { ListGroups } from '../../src/protocol/messages/list-groups.ts'
import { OffsetCommit } from '../../src/protocol/messages/offset-commit.ts'
import { OffsetDelete } from '../../src/protocol/messages/offset-delete.ts'
import { OffsetFetch } from '../../src/protocol/messages/offset-fetch.ts'
import { SyncGroup } from '../../src/protocol/messages/sync-group.ts'
import { RawClient } from './raw-client.ts'

/** Pauses between the commits that tell us that all is done, ms. */
const pauseMs = 60
const pauses = 3

export class RemoteListener implements Listener {
  readonly #host: string
  readonly #port: number
  /** Groups are called otherwise there: each run has its own. */
  readonly #suffix: string
  readonly #clients: RawClient[] = []
  #sleepMs = 0
  #answered: Promise<unknown> = Promise.resolve()
  #barrier: RawClient | null = null

  constructor(host: string, port: number, suffix: string) {
    this.#host = host
    this.#port = port
    this.#suffix = `-${suffix}`
  }

  /** Until the coordinator of every group is there: the offsets topic is made when it is first asked for. */
  async ready(): Promise<void> {
    const client = this.#connect()
    for (;;) {
      const found = await client.send(FindCoordinator, 2, { key: 'g', keyType: 0 })
      const listed = await client.send(ListGroups, 2, {})
      const joined = await client.send(Heartbeat, 0, { groupId: 'g', generationId: 1, memberId: 'm' })
      if (found?.errorCode === 0 && listed?.errorCode === 0 && joined?.errorCode === 25) return
      await pause(100)
    }
  }

  ask(_: string, command: GroupCommand, reply: (answer: GroupAnswer) => void): void {
    // A connection for each request: a parked one holds up all that follow it.
    const client = this.#connect()
    const answered = this.#send(client, command).then(answer => reply(answer ?? new Refused('failed', null)))
    if (command.type !== 'JoinGroup' && command.type !== 'SyncGroup') this.#answered = answered
  }

  advance(ms: number): void {
    this.#sleepMs = ms
  }

  reload(): void {
    throw new Error('a broker is not reloaded from outside')
  }

  /**
   * Until all that will come of the last command has come. Answers that must come are waited for. For those that may be
   * parked there are commits to another group of the same partition: when they are answered, what was asked before them was
   * dealt with and is in the log.
   */
  async settle(): Promise<void> {
    const sleepMs = this.#sleepMs
    this.#sleepMs = 0
    if (sleepMs > 0) await pause(sleepMs)
    await this.#answered
    for (let i = 0; i < pauses; i++) {
      await pause(pauseMs)
      await this.#commitBarrier()
    }
    await pause(pauseMs)
  }

  async #commitBarrier(): Promise<void> {
    this.#barrier ??= this.#connect()
    const partitions = [{ partitionIndex: 0, committedOffset: 1, committedMetadata: null }]
    const request = { groupId: `barrier${this.#suffix}`, topics: [{ name: 't', partitions }] }
    const answer = await this.#barrier.send(OffsetCommit, 2, request)
    if (answer?.topics[0]?.partitions[0]?.errorCode !== 0) throw new Error('the barrier was not committed')
  }

  close(): void {
    for (const client of this.#clients) client.close()
  }

  #connect(): RawClient {
    const client = new RawClient(this.#host, this.#port)
    this.#clients.push(client)
    return client
  }

  #there(groupId: string): string {
    return groupId === '' ? '' : `${groupId}${this.#suffix}`
  }

  #here<Named extends { groupId: string }>(groups: readonly Named[]): Named[] {
    const barrier = `barrier${this.#suffix}`
    const known = groups.filter(({ groupId }) => groupId.endsWith(this.#suffix) && groupId !== barrier)
    return known.map(group => ({ ...group, groupId: group.groupId.slice(0, -this.#suffix.length) }))
  }

  async #send(client: RawClient, command: GroupCommand): Promise<GroupAnswer | null> {
    switch (command.type) {
      case 'JoinGroup':
        return client.send(JoinGroup, command.version, this.#renamed(command.request), command.clientId)
      case 'SyncGroup':
        return client.send(SyncGroup, command.version, this.#renamed(command.request))
      case 'Heartbeat':
        return client.send(Heartbeat, 4, this.#renamed(command.request))
      case 'LeaveGroup': {
        const { members, memberId, groupId } = this.#renamed(command.request)
        const leaving = command.version < 3 ? { groupId, memberId } : { groupId, members }
        return client.send(LeaveGroup, command.version, leaving)
      }
      case 'OffsetCommit':
        return client.send(OffsetCommit, command.version, this.#renamed(command.request))
      case 'OffsetFetch': {
        const { requireStable, topics } = command
        const groups = [{ groupId: this.#there(command.groupId), topics }]
        const answer = await client.send(OffsetFetch, 8, { groups, requireStable })
        return answer?.groups[0] ?? null
      }
      case 'OffsetDelete':
        return client.send(OffsetDelete, 0, this.#renamed(command.request))
      case 'DescribeGroups': {
        const groups = command.groups.map(groupId => this.#there(groupId))
        const answer = await client.send(DescribeGroups, command.version, { groups })
        return answer && this.#here(answer.groups)
      }
      case 'ListGroups': {
        const { statesFilter, typesFilter } = command
        const answer = await client.send(ListGroups, 5, {
          statesFilter: [...statesFilter],
          typesFilter: [...typesFilter],
        })
        return answer && this.#here(answer.groups)
      }
      case 'DeleteGroups': {
        const groupsNames = command.groups.map(groupId => this.#there(groupId))
        const answer = await client.send(DeleteGroups, 2, { groupsNames })
        return answer && this.#here(answer.results)
      }
      default:
        throw new Error(`${command.type} is no request`)
    }
  }

  #renamed<Request extends { groupId: string }>(request: Request): Request {
    return { ...request, groupId: this.#there(request.groupId) }
  }
}

function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}
