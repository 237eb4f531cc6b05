import { DescribeConfigs } from '../protocol/messages/describe-configs.ts'
import { IncrementalAlterConfigs } from '../protocol/messages/incremental-alter-configs.ts'
import type { Cluster } from './cluster.ts'
import { failure } from './failures.ts'

const brokerResource = 4
const setting = 'balance.state'
const operations = { set: 0, remove: 1 } as const

/** What becomes of the partitions of each node; those that cannot be asked are missing. */
export async function balanceStates(cluster: Cluster, nodes: readonly number[]): Promise<Map<number, string>> {
  const found = new Map<number, string>()
  for (const node of nodes) {
    try {
      const connection = await cluster.broker(node)
      const resources = [{ resourceType: brokerResource, resourceName: String(node), configurationKeys: [setting] }]
      const answer = await connection.request(DescribeConfigs, { resources })
      const value = answer.results[0]?.configs.find(({ name }) => name === setting)?.value
      if (typeof value === 'string') found.set(node, value)
    } catch {}
  }
  return found
}

/** Null: as a node is by default. */
export async function setBalance(cluster: Cluster, node: number, value: string | null): Promise<void> {
  const connection = await cluster.controller()
  const configs = [{ name: setting, configOperation: value === null ? operations.remove : operations.set, value }]
  const resources = [{ resourceType: brokerResource, resourceName: String(node), configs }]
  const answer = await connection.request(IncrementalAlterConfigs, { resources, validateOnly: false })
  for (const { errorCode, errorMessage } of answer.responses)
    if (errorCode !== 0) throw failure(errorCode, `node ${node}`, errorMessage)
}
