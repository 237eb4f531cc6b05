import { Node } from './node/node.ts'
import type { NodeOptions, RunningNode } from './node/options.ts'

export type { Inside, NodeOptions, RunningNode } from './node/options.ts'

interface Opened extends RunningNode {
  start(): Promise<void>
}

/** What a gateway is made of is of no use to others, and not loaded by them. */
async function open(options: NodeOptions): Promise<Opened> {
  if (options.config.config.get('roles') !== 'gateway') return Node.open(options)
  const { GatewayProcess } = await import('./node/gateway-process.ts')
  return GatewayProcess.open(options)
}

export { loadAll } from './node/load-all.ts'

/** Options in, a running node out. Rejects with a sentence that says what is wrong. */
export async function startNode(options: NodeOptions): Promise<RunningNode> {
  const node = await open(options)
  try {
    await node.start()
    return node
  } catch (error) {
    await node.stop()
    throw error
  }
}
