import { setImmediate } from 'node:timers/promises'
import { dice, VirtualTime } from '../../../machine/testing.ts'
import { fencedLogContract } from './contract.ts'
import { TestStore } from './testing.ts'

fencedLogContract('the one for tests', async () => {
  const time = new VirtualTime()
  const store = new TestStore({ clock: time, timers: time, random: dice(1) })
  let open = true
  // Time goes on by itself.
  void (async () => {
    while (open) {
      await setImmediate()
      if (time.pending > 0) time.advance(1)
    }
  })()
  return {
    client: () => store.client(() => false),
    restart: async () => store.restart(),
    pass: async ms => time.advance(ms),
    close: async () => {
      open = false
    },
  }
})
