import { Admin } from '../../src/client/admin.ts'
import { Cluster } from '../../src/client/cluster.ts'
import { KafkaError } from '../../src/protocol/errors.ts'
import type { ClientPlan } from './clients.ts'
import type { Machine } from './machine.ts'
import type { Plan } from './plan.ts'

/** Makes the topics of a plan: before anything goes wrong. */
export function createTopics(machine: Machine, { bootstrap, options }: ClientPlan, plan: Plan): Promise<void> {
  const process = machine.spawn()
  return new Promise((resolve, reject) => {
    machine.events.in(0, process, () => {
      const cluster = new Cluster(process.world, { bootstrap, ...options })
      const made = async () => {
        try {
          await new Admin(cluster).createTopics(plan.topics)
        } catch (error) {
          // A retry of what had worked.
          if (!(error instanceof KafkaError) || error.errorName !== 'TOPIC_ALREADY_EXISTS') throw error
        }
        cluster.close()
      }
      made().then(resolve, reject)
    })
  })
}

/** Says whether a promise is settled yet. */
export function settled(promise: Promise<unknown>): () => boolean {
  let done = false
  const note = () => {
    done = true
  }
  promise.then(note, note)
  return () => done
}
