import type { Cluster } from '../client/cluster.ts'
import { DescribeConfigs } from '../protocol/messages/describe-configs.ts'
import type { Message } from './message.ts'

const SETTING = 'message.timestamp.type'

/** Whose clock stamps the records of each topic. Topics that may not be asked about are left out. */
export async function timestampTypes(
  cluster: Cluster,
  topics: readonly string[],
): Promise<Map<string, Message['timestampType']>> {
  const connection = await cluster.any()
  const answer = await connection.request(DescribeConfigs, {
    resources: topics.map(resourceName => ({ resourceType: 2, resourceName, configurationKeys: [SETTING] })),
  })
  const types = new Map<string, Message['timestampType']>()
  for (const { resourceName, configs } of answer.results) {
    const value = configs.find(config => config.name === SETTING)?.value
    if (value === 'LogAppendTime' || value === 'CreateTime') types.set(resourceName, value)
  }
  return types
}
