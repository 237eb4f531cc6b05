import { ErrorCode, type ErrorName } from '../protocol/errors.ts'
import { ZERO_UUID } from '../protocol/uuid.ts'
import type {
  FetchCommand,
  OffsetCommitRequest,
  OffsetCommitResponse,
  OffsetDeleteRequest,
  OffsetDeleteResponse,
  OffsetFetchedGroup,
} from './commands.ts'
import { commitReply } from './replies.ts'

/** What the cluster knows of a topic, as far as offsets are committed for it. */
export interface TopicInfo {
  readonly name: string
  readonly topicId: string
  readonly partitions: number
}

export interface TopicLookup {
  byName(name: string): TopicInfo | undefined
  byId(topicId: string): TopicInfo | undefined
}

/**
 * Topics in offset requests: since version 10 they go by id (KIP-848). Machines know names alone and believe in every
 * topic; here ids become names, and what does not exist gets its error. (Offsets of unknown partitions would live for
 * ever: nobody deletes them.)
 */
export class OffsetTopics {
  readonly #lookup: TopicLookup

  constructor(lookup: TopicLookup) {
    this.#lookup = lookup
  }

  /** What may be committed, under names; `finish` makes the whole answer of the answer to that. */
  ofCommit(
    version: number,
    request: OffsetCommitRequest,
  ): { readonly request: OffsetCommitRequest; finish(answer: OffsetCommitResponse): OffsetCommitResponse } {
    const topics: OffsetCommitRequest['topics'] = []
    let refused = 0
    for (const topic of request.topics) {
      const info = this.#find(version, topic)
      if (info === undefined) {
        refused += topic.partitions.length
        continue
      }
      topic.name = info.name
      topic.topicId = info.topicId
      const partitions = topic.partitions.filter(({ partitionIndex }) => exists(info, partitionIndex))
      refused += topic.partitions.length - partitions.length
      if (partitions.length === topic.partitions.length) topics.push(topic)
      else if (partitions.length > 0) topics.push({ ...topic, partitions })
    }
    if (refused === 0) return { request, finish: answer => answer }
    const finish = (answer: OffsetCommitResponse): OffsetCommitResponse => {
      const codes = new Map<string, number>()
      for (const { name, partitions } of answer.topics) {
        for (const { partitionIndex, errorCode } of partitions) codes.set(`${partitionIndex} ${name}`, errorCode)
      }
      const whole = commitReply(request, () => unknownTopic(version))
      for (const topic of whole.topics) {
        for (const partition of topic.partitions as { partitionIndex: number; errorCode: number }[]) {
          const known = codes.get(`${partition.partitionIndex} ${topic.name}`)
          if (known !== undefined) partition.errorCode = known
          else if (this.#find(version, { name: topic.name ?? '', topicId: topic.topicId ?? ZERO_UUID }) !== undefined) {
            partition.errorCode = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
          }
        }
      }
      return whole
    }
    return { request: { ...request, topics }, finish }
  }

  /** The topics that are asked for, by names; ids that nobody has are answered by `finish`. */
  ofFetch(
    version: number,
    topics: FetchCommand['topics'],
  ): { readonly topics: FetchCommand['topics']; finish(answer: OffsetFetchedGroup): OffsetFetchedGroup } {
    if (version < 10) {
      return { topics: topics?.map(topic => this.#withId(topic)) ?? null, finish: answer => answer }
    }
    if (topics === null) return { topics, finish: answer => this.#withIds(answer) }
    const known: NonNullable<FetchCommand['topics']>[number][] = []
    const unknown: { name: string; topicId: string; partitions: ReturnType<typeof notFound>[] }[] = []
    for (const topic of topics) {
      const info = this.#lookup.byId(topic.topicId)
      if (info !== undefined) known.push({ ...topic, name: info.name })
      else unknown.push({ name: '', topicId: topic.topicId, partitions: topic.partitionIndexes.map(notFound) })
    }
    if (unknown.length === 0) return { topics: known, finish: answer => answer }
    const finish = (answer: OffsetFetchedGroup): OffsetFetchedGroup =>
      answer.errorCode ? answer : { ...answer, topics: [...answer.topics, ...unknown] }
    return { topics: known, finish }
  }

  /** Only topics that exist; the others are answered by `finish`. */
  ofDelete(request: OffsetDeleteRequest): {
    readonly request: OffsetDeleteRequest
    finish(answer: OffsetDeleteResponse): OffsetDeleteResponse
  } {
    const topics = request.topics.filter(({ name }) => this.#lookup.byName(name) !== undefined)
    if (topics.length === request.topics.length) return { request, finish: answer => answer }
    const unknown = request.topics
      .filter(topic => !topics.includes(topic))
      .map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex }) => ({
          partitionIndex,
          errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION as number,
        })),
      }))
    const finish = (answer: OffsetDeleteResponse): OffsetDeleteResponse =>
      answer.errorCode === ErrorCode.NONE ? { ...answer, topics: [...answer.topics, ...unknown] } : answer
    return { request: { ...request, topics }, finish }
  }

  #find(version: number, topic: { readonly name: string; readonly topicId: string }): TopicInfo | undefined {
    return version >= 10 ? this.#lookup.byId(topic.topicId) : this.#lookup.byName(topic.name)
  }

  /** A topic that is gone keeps its name alone: who asks by name may still learn what was committed. */
  #withId<Topic extends { readonly name: string }>(topic: Topic): Topic & { readonly topicId: string } {
    return { ...topic, topicId: this.#lookup.byName(topic.name)?.topicId ?? ZERO_UUID }
  }

  #withIds(answer: OffsetFetchedGroup): OffsetFetchedGroup {
    const topics = answer.topics.map(topic => this.#withId({ ...topic, name: topic.name ?? '' }))
    return { ...answer, topics: topics.filter(({ topicId }) => topicId !== ZERO_UUID) }
  }
}

function exists(info: TopicInfo, partition: number): boolean {
  return partition >= 0 && partition < info.partitions
}

function unknownTopic(version: number): ErrorName {
  return version >= 10 ? 'UNKNOWN_TOPIC_ID' : 'UNKNOWN_TOPIC_OR_PARTITION'
}

function notFound(partitionIndex: number) {
  return {
    partitionIndex,
    committedOffset: -1,
    committedLeaderEpoch: -1,
    metadata: '',
    errorCode: ErrorCode.UNKNOWN_TOPIC_ID as number,
  }
}
