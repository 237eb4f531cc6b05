import { failure } from '../../client/failures.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import { DeleteGroups } from '../../protocol/messages/delete-groups.ts'
import { OffsetDelete } from '../../protocol/messages/offset-delete.ts'
import { type ConnectFlags, withCluster } from '../connect.ts'
import { Failure } from '../failure.ts'
import type { Terminal } from '../terminal.ts'
import { groupsNamed, partitionsOf, topicFlag } from './groups.ts'

interface RemoveFlags extends ConnectFlags {
  readonly group?: readonly string[]
  readonly allGroups?: boolean
  readonly topic?: readonly string[]
}

export function remove(names: readonly string[], flags: RemoveFlags, terminal: Terminal): Promise<void> {
  return withCluster(flags, terminal, async cluster => {
    for (const groupId of await groupsNamed(cluster, names, flags, false)) {
      const connection = await cluster.coordinator('group', groupId)
      const { results } = await connection.request(DeleteGroups, { groupsNames: [groupId] })
      for (const { errorCode, errorMessage } of results) refuse(groupId, errorCode, errorMessage)
      terminal.stdout.write(`deleted group ${terminal.paint.bold(groupId)}\n`)
    }
  })
}

export function removeOffsets(names: readonly string[], flags: RemoveFlags, terminal: Terminal): Promise<void> {
  if (flags.topic === undefined) throw new Failure('say which topic: --topic NAME', 2)
  const wanted = flags.topic.map(topicFlag)
  return withCluster(flags, terminal, async cluster => {
    for (const groupId of await groupsNamed(cluster, names, flags, false)) {
      const topics = []
      for (const { topic, partitions } of wanted) {
        const numbers = partitions ?? (await partitionsOf(cluster, topic))
        topics.push({ name: topic, partitions: numbers.map(partitionIndex => ({ partitionIndex })) })
      }
      const connection = await cluster.coordinator('group', groupId)
      const answer = await connection.request(OffsetDelete, { groupId, topics })
      refuse(groupId, answer.errorCode, null)
      for (const { name, partitions } of answer.topics) {
        for (const { partitionIndex, errorCode } of partitions) {
          if (errorCode !== 0) throw failure(errorCode, `${groupId}: ${name}-${partitionIndex}`)
        }
      }
      terminal.stdout.write(`deleted offsets of group ${terminal.paint.bold(groupId)}\n`)
    }
  })
}

function refuse(groupId: string, errorCode: number, errorMessage: string | null): void {
  if (errorCode === 0) return
  if (errorCode === ErrorCode.GROUP_ID_NOT_FOUND) throw new Failure(`there is no group ${groupId}`)
  if (errorCode === ErrorCode.NON_EMPTY_GROUP) throw new Failure(`group ${groupId} has members: stop them first`)
  throw failure(errorCode, `group ${groupId}`, errorMessage)
}
