import type { StoreObserver } from './store.ts'

/** Everybody who watches one store. */
export class Observers implements StoreObserver {
  readonly #all: StoreObserver[] = []

  add(observer: StoreObserver): void {
    this.#all.push(observer)
  }

  written(upTo: number): void {
    for (const observer of this.#all) observer.written(upTo)
  }

  durable(upTo: number): void {
    for (const observer of this.#all) observer.durable(upTo)
  }

  dropped(from: number, error: Error): void {
    for (const observer of this.#all) observer.dropped(from, error)
  }

  failed(error: Error): void {
    for (const observer of this.#all) observer.failed(error)
  }
}
