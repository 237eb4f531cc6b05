import type { Cluster, TopicMetadata } from '../client/cluster.ts'
import { Failure } from './failure.ts'
import { suggestion } from './settings.ts'

/** What a topic may be called; anything else in its place is a pattern. */
const LEGAL = /^[a-zA-Z0-9._-]{1,249}$/

/**
 * The topics of these names or patterns (regular expressions for the whole name, or `*` for all), in alphabetical order; all
 * that are not internal when there are none. Throws Failure for a name that is not there, with the one probably meant.
 */
export async function topicsNamed(
  cluster: Cluster,
  wanted: readonly string[],
  { internal = wanted.length > 0, missing = 'fail' }: { internal?: boolean; missing?: 'fail' | 'pass' } = {},
): Promise<TopicMetadata[]> {
  const all = (await cluster.metadata(null)).topics
  const tests = wanted.map(each => matcher(each))
  const found = all.filter(
    ({ name, isInternal }) => (internal || !isInternal) && (tests.length === 0 || tests.some(test => test(name))),
  )
  const names = all.map(topic => topic.name)
  for (const name of wanted) {
    if (missing === 'pass' || !LEGAL.test(name) || names.includes(name)) continue
    throw new Failure(`there is no topic ${name}${suggestion(name, names)}`)
  }
  return found.sort((a, b) => (a.name < b.name ? -1 : 1))
}

function matcher(text: string): (name: string) => boolean {
  if (LEGAL.test(text)) return name => name === text
  if (text === '*') return () => true
  try {
    const pattern = new RegExp(`^(?:${text})$`)
    return name => pattern.test(name)
  } catch {
    throw new Failure(`${text} is neither a topic's name nor a regular expression`, 2)
  }
}

/** Positional names and `--topic` mean the same; Kafka allows several with commas. */
export function givenTopics(positional: readonly string[], flag: readonly string[] | undefined): string[] {
  const flagged = (flag ?? []).flatMap(text => (LEGAL.test(text.replaceAll(',', '')) ? text.split(',') : [text]))
  return [...new Set([...positional, ...flagged].filter(name => name !== ''))]
}
