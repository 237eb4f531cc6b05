import { Admin } from '../../src/client/admin.ts'
import type { Cluster } from '../../src/client/cluster.ts'
import { sleep } from '../../src/client/retry.ts'
import type { World } from '../../src/world/world.ts'
import { Client } from './clients.ts'

/** Sets how many copies must have a record, of a topic or of all that do not say, while they are written and led. */
export class TunerClient extends Client {
  protected async run(cluster: Cluster, world: World): Promise<void> {
    const admin = new Admin(cluster)
    const name = 'min.insync.replicas'
    while (!this.stopped) {
      await sleep(world, this.dice.between(100, 2000))
      const topic = this.dice.pick(this.plan.topics).name
      const value = this.dice.chance(0.5) ? '2' : '1'
      const own = this.dice.chance(0.5)
      const resource = own ? ({ type: 'topic', name: topic } as const) : ({ type: 'broker', name: '' } as const)
      const taken = own && this.dice.chance(0.3)
      this.machine.story.tell(
        this.identity,
        () => `${name} of ${own ? topic : 'all'} is ${taken ? 'taken away' : value}`,
      )
      await admin.alterConfigs(resource, [taken ? { name, operation: 'delete' } : { name, operation: 'set', value }])
    }
  }
}
