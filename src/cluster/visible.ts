import { ErrorCode } from '../protocol/errors.ts'
import type { CommandName, CommandRequest, CommandResponse } from './commands/command.ts'
import type { ClusterState } from './state.ts'

/** Whether metadata has what an answer says was done, as far as a client would notice that it has not. */
export function isVisible<Name extends CommandName>(
  name: Name,
  request: CommandRequest<Name>,
  answer: CommandResponse<Name>,
  state: ClusterState,
): boolean {
  switch (name) {
    case 'createTopics': {
      const { validateOnly = false } = request as CommandRequest<'createTopics'>
      const { topics } = answer as CommandResponse<'createTopics'>
      // Somebody else has made it a moment ago: that is no reason to deny that there is such a topic.
      const isThere = (errorCode: number | undefined) => errorCode === ErrorCode.TOPIC_ALREADY_EXISTS
      return (
        validateOnly ||
        topics.every(({ name, errorCode }) => (isFailure(errorCode) && !isThere(errorCode)) || state.topics.has(name))
      )
    }
    case 'deleteTopics': {
      const { responses } = answer as CommandResponse<'deleteTopics'>
      return responses.every(({ name, errorCode }) => isFailure(errorCode) || !state.topics.has(name ?? ''))
    }
    case 'createPartitions': {
      const { topics, validateOnly = false } = request as CommandRequest<'createPartitions'>
      const { results } = answer as CommandResponse<'createPartitions'>
      const counts = new Map(topics.map(({ name, count }) => [name, count]))
      return (
        validateOnly ||
        results.every(({ name, errorCode }) => {
          const partitions = state.topics.get(name)?.partitions.length ?? 0
          return isFailure(errorCode) || partitions >= (counts.get(name) ?? 0)
        })
      )
    }
    default:
      return true
  }
}

const isFailure = (errorCode: number | undefined): boolean => (errorCode ?? ErrorCode.NONE) !== ErrorCode.NONE
