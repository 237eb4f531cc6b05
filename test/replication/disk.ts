import { KafkaError } from '../../src/protocol/errors.ts'
import { MemoryVolume } from '../../src/store/memory.ts'
import type { Damage, Store, StoreObserver, TopicPartition, Volume } from '../../src/store/store.ts'
import type { Timers } from '../../src/world/world.ts'
import type { Dice } from './time.ts'

/** What of one store outlives the process: the bytes, and how many of them the platter has. */
interface Kept {
  readonly store: Store
  durable: number
  /** Set by `rot`. */
  damage: Damage | null
}

/**
 * A disk on which nothing is safe before it is synced, and syncs take their time. It outlives the processes that use it:
 * `open` gives each a volume of its own, `crash` takes what was not safe.
 */
export class CrashDisk {
  readonly #dice: Dice
  readonly #stores = new Map<string, Kept>()
  #memory: MemoryVolume | null = null
  #highWatermarks = new Map<string, number>()
  /** ms that a sync takes, at most. */
  syncMs = 3

  constructor(dice: Dice) {
    this.#dice = dice
  }

  durable(partition: TopicPartition): number {
    const kept = this.#stores.get(keyOf(partition))
    return Math.min(kept?.durable ?? 0, kept?.damage?.offset ?? Number.POSITIVE_INFINITY)
  }

  /** Some of what was safe is not there any more, which the next opening finds out. */
  rot(): void {
    for (const kept of this.#stores.values()) {
      const ends = Array.from(kept.store.scan(kept.store.startOffset), batch => batch.baseOffset)
      const offset = this.#dice.pick(ends.filter(end => end < kept.durable).concat(kept.store.startOffset))
      if (kept.durable > 0) kept.damage = { offset, reason: 'bit rot' }
    }
  }

  /** A power cut keeps any part of what was not synced; without one all that was written is there. */
  async crash(powerCut: boolean): Promise<void> {
    if (!powerCut) return
    for (const kept of this.#stores.values()) {
      const { store, durable } = kept
      const ends = [durable]
      if (store.endOffset > durable) for (const batch of store.scan(durable)) ends.push(batch.lastOffset + 1)
      await store.truncate(Math.max(durable, this.#dice.pick(ends)))
    }
  }

  open(timers: Timers): Volume {
    this.#memory ??= new MemoryVolume({ after: () => ({ cancel() {} }), soon() {} })
    const memory = this.#memory
    const highWatermarks = new Map(this.#highWatermarks)
    return new Proxy<Volume>(memory, {
      get: (target, name) => {
        if (name === 'clean') return false
        if (name === 'open')
          return (...args: Parameters<Volume['open']>) => this.#store(args[0], target.open(...args), timers)
        if (name === 'highWatermark') return (at: TopicPartition) => highWatermarks.get(keyOf(at)) ?? 0
        if (name === 'setHighWatermark')
          return (at: TopicPartition, offset: number) => void highWatermarks.set(keyOf(at), offset)
        if (name === 'checkpoint')
          return async () => {
            this.#highWatermarks = new Map(highWatermarks)
          }
        if (name === 'remove' || name === 'setAside')
          return (at: TopicPartition) => {
            this.#stores.delete(keyOf(at))
            return target.remove(at)
          }
        const value = Reflect.get(target, name, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
  }

  #delay(): number {
    return this.#dice.between(0.2, this.syncMs)
  }

  #store(at: TopicPartition, store: Store, timers: Timers): Store {
    const kept = this.#stores.get(keyOf(at)) ?? { store, durable: 0, damage: null }
    this.#stores.set(keyOf(at), kept)
    const observers: StoreObserver[] = []
    let generation = 0
    let told = store.endOffset
    let scheduled = false
    const written = () => {
      if (scheduled) return
      scheduled = true
      timers.soon(() => {
        scheduled = false
        if (store.endOffset <= told) return
        told = store.endOffset
        for (const observer of observers) observer.written(told)
      })
    }
    const sync = () =>
      new Promise<number>(resolve => {
        const begin = () => {
          const upTo = store.endOffset
          const began = generation
          timers.after(this.#delay(), () => {
            if (began !== generation) return begin()
            kept.durable = Math.max(kept.durable, upTo)
            for (const observer of observers) observer.durable(kept.durable)
            resolve(kept.durable)
          })
        }
        begin()
      })
    const settled = () => new Promise<void>(resolve => timers.after(this.#delay(), resolve))
    const proxy = new Proxy(store, {
      get: (target, name) => {
        if (name === 'durableOffset') return kept.durable
        if (name === 'damage') return kept.damage
        if (name === 'observe') return (observer: StoreObserver) => void observers.push(observer)
        if (name === 'sync') return sync
        if (name === 'append')
          return (...args: Parameters<Store['append']>) => {
            if (kept.damage !== null) throw new KafkaError('KAFKA_STORAGE_ERROR', kept.damage.reason)
            target.append(...args)
            written()
          }
        if (name === 'truncate' || name === 'reset')
          return async (to: number) => {
            generation++
            kept.durable = Math.min(kept.durable, to)
            told = Math.min(told, to)
            if (kept.damage !== null && to <= kept.damage.offset) kept.damage = null
            await target[name](to)
            await settled()
            if (name === 'reset') kept.durable = Math.max(kept.durable, Math.min(to, target.endOffset))
          }
        if (name === 'put')
          return async (file: string, bytes: Uint8Array) => {
            await settled()
            await target.put(file, bytes)
          }
        const value = Reflect.get(target, name, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    // As recovery does with what it finds beyond the recovery point.
    if (store.endOffset > kept.durable) timers.soon(() => void sync())
    return proxy
  }
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}-${partition}`
}
