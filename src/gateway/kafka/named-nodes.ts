import type { Handler } from '../../broker/handler.ts'
import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import { DescribeConfigs } from '../../protocol/messages/describe-configs.ts'
import { DescribeLogDirs } from '../../protocol/messages/describe-log-dirs.ts'
import type { Api, RequestOf, ResponseOutput } from '../../protocol/schema.ts'
import { ask, everyNode, inTurn, waysTo } from './exchange.ts'
import type { ProxyContext } from './proxy.ts'
import { anyNode } from './upstream.ts'

type Configs = ResponseOutput<typeof DescribeConfigs>
type Resource = RequestOf<typeof DescribeConfigs>['resources'][number]

/** BROKER and BROKER_LOGGER: only the node itself knows its settings. */
const ofOneNode = new Set([4, 8])

/** The node that a resource belongs to; `anyNode`: all know it alike. */
export function nodeOfResource(
  { resourceType, resourceName }: Pick<Resource, 'resourceType' | 'resourceName'>,
  isNode: (id: number) => boolean,
): number {
  if (!ofOneNode.has(resourceType) || !/^\d{1,10}$/.test(resourceName)) return anyNode
  return isNode(Number(resourceName)) ? Number(resourceName) : anyNode
}

/** Settings of the cluster and of topics come from any node, those of a node from itself. */
export const describeConfigs: Handler<Api, ProxyContext> = {
  api: DescribeConfigs as never,
  keepsBytes: false,
  handle(asked, context) {
    const request = asked as unknown as RequestOf<typeof DescribeConfigs>
    const { directory } = context.broker
    const byNode = new Map<number, Resource[]>()
    for (const resource of request.resources) {
      const node = nodeOfResource(resource, id => directory.brokers.has(id))
      byNode.set(node, [...(byNode.get(node) ?? []), resource])
    }
    const portions = [...byNode.values()]
    const ways = waysTo(context.broker.upstream(context), [...byNode.keys()])
    return inTurn(context.peer, ways, async found => {
      const answers = await Promise.all(
        found.map(async (way, i): Promise<Pick<Configs, 'results'>> => {
          const resources = portions[i]!
          const answer = await ask(way, DescribeConfigs, context.version, { ...request, resources })
          if (!(answer instanceof KafkaError)) return answer
          const failed = { errorCode: ErrorCode.REQUEST_TIMED_OUT, errorMessage: answer.message, configs: [] }
          return { results: resources.map(resource => ({ ...resource, ...failed })) }
        }),
      )
      return { results: answers.flatMap(({ results }) => results) }
    }) as never
  },
}

type LogDirs = ResponseOutput<typeof DescribeLogDirs>

/** Folders of several nodes in one answer: clients tell them apart by their names. */
export function mergeLogDirs(answers: ReadonlyMap<number, LogDirs>): LogDirs {
  const [first] = answers.values()
  if (first === undefined) throw new Error('nothing to merge')
  if (answers.size === 1) return first
  const results = [...answers].flatMap(([node, answer]) =>
    answer.results.map(result => ({ ...result, logDir: `${node}:${result.logDir}` })),
  )
  return { ...first, errorCode: [...answers.values()].find(each => each.errorCode !== 0)?.errorCode ?? 0, results }
}

/** What is on the disks of the node that the client means, or, since few say which that is, of all that answer. */
export const describeLogDirs = everyNode(DescribeLogDirs, answers => {
  const given = new Map<number, LogDirs>()
  for (const [node, answer] of answers) if (!(answer instanceof KafkaError)) given.set(node, answer)
  return given.size > 0 ? mergeLogDirs(given) : { errorCode: ErrorCode.REQUEST_TIMED_OUT, results: [] }
})
