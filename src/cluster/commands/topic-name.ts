import { ErrorCode } from '../../protocol/errors.ts'

const maxNameLength = 249

/** Why Kafka would not take this name for a topic; null when it would. */
export function topicNameProblem(name: string): string | null {
  const problem = problemOf(name)
  return problem === null ? null : `Topic name is invalid: ${problem}`
}

/** What a client hears of a topic that there is not: its name may be the reason. */
export function missingTopicCode(name: string): number {
  return topicNameProblem(name) === null ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : ErrorCode.INVALID_TOPIC_EXCEPTION
}

function problemOf(name: string): string | null {
  if (name === '') return 'the empty string is not allowed'
  if (name === '.' || name === '..') return `'${name}' is not allowed`
  if (name.length > maxNameLength) {
    return `the length of '${name.slice(0, 300)}' is longer than the max allowed length ${maxNameLength}`
  }
  if (/^[a-zA-Z0-9._-]+$/.test(name)) return null
  return `'${name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'`
}

/** Metrics turn periods into underscores: two names that differ only there are refused. */
export function collisionKey(name: string): string {
  return name.includes('.') ? name.replaceAll('.', '_') : name
}
