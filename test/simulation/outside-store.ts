import type { FencedLog } from '../../src/cluster/orderer/fenced/fenced-log.ts'
import { TestStore } from '../../src/cluster/orderer/fenced/testing.ts'
import type { Machine, Process } from './machine.ts'

/** Stands in for a Redis on a machine of its own. */
export class OutsideStore {
  readonly store: TestStore
  readonly #machine: Machine

  constructor(machine: Machine) {
    this.#machine = machine
    this.store = new TestStore(machine.spawn().world)
  }

  /** As a process reaches it: answers come to whoever still lives, and to the paused later. */
  reachedFrom(process: Process): FencedLog {
    const store = this.#machine
    const { machine } = process
    const { network, events } = machine
    const cut = () => !process.alive || !network.reaches(machine, store) || !network.reaches(store, machine)
    const log = this.store.client(cut)
    const told = <T>(answer: Promise<T>): Promise<T> =>
      new Promise((resolve, reject) => {
        answer.then(
          value => events.enter(process, () => resolve(value)),
          error => events.enter(process, () => reject(error)),
        )
      })
    return {
      name: log.name,
      look: after => told(log.look(after)),
      create: (logId, clusterId) => told(log.create(logId, clusterId)),
      acquire: request => told(log.acquire(request)),
      renew: (token, leaseMs) => told(log.renew(token, leaseMs)),
      release: token => told(log.release(token)),
      append: (token, after, batchId, entries, end) => told(log.append(token, after, batchId, entries, end)),
      vouch: (source, node) => told(log.vouch(source, node)),
      confirm: (head, over) => told(log.confirm(head, over)),
      putSnapshot: (token, id, bytes, startOffset) => told(log.putSnapshot(token, id, bytes, startOffset)),
      getSnapshot: id => told(log.getSnapshot(id)),
      watch: changed => log.watch(changed === null ? null : () => events.enter(process, changed)),
      close: () => log.close(),
    }
  }
}
