import { balanceStates, setBalance } from '../../src/client/balance.ts'
import type { Cluster } from '../../src/client/cluster.ts'
import { sleep } from '../../src/client/retry.ts'
import type { World } from '../../src/world/world.ts'
import { Client } from './clients.ts'

/** Empties one server after the other, of partitions and of its vote, and lets it have its share again. */
export class KeeperClient extends Client {
  protected async run(cluster: Cluster, world: World): Promise<void> {
    while (!this.stopped) {
      await sleep(world, this.dice.between(200, 3000))
      const { brokers } = await cluster.metadata(null)
      const nodes = brokers.map(({ nodeId }) => nodeId)
      const drained = [...(await balanceStates(cluster, nodes))].filter(([, state]) => state === 'draining')
      const full = nodes.filter(node => !drained.some(([id]) => id === node))
      if (drained.length > 0 && (full.length < 3 || this.dice.chance(0.5))) {
        const [node] = this.dice.pick(drained)
        this.machine.story.tell(this.identity, () => `node ${node} gets its share again`)
        await setBalance(cluster, node, 'joining')
      } else if (full.length > 3) {
        const node = this.dice.pick(full)
        this.machine.story.tell(this.identity, () => `node ${node} is drained`)
        await setBalance(cluster, node, 'draining')
      }
    }
  }
}
