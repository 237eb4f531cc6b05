import { Node } from './node/node.ts'
import type { NodeOptions, RunningNode } from './node/options.ts'

export type { Inside, NodeOptions, RunningNode } from './node/options.ts'

/** Options in, a running node out. Rejects with a sentence that says what is wrong. */
export async function startNode(options: NodeOptions): Promise<RunningNode> {
  const node = await Node.open(options)
  try {
    await node.start()
    return node
  } catch (error) {
    await node.stop()
    throw error
  }
}
