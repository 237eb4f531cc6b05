import type { AnyHandler } from './handler.ts'
import type { ServedApi } from './served.ts'

/** An API whose handler may still have to be loaded. */
export class ApiEntry {
  readonly served: ServedApi
  handler: AnyHandler | null = null
  #loading: Promise<AnyHandler> | null = null

  constructor(served: ServedApi) {
    this.served = served
  }

  load(): Promise<AnyHandler> {
    this.#loading ??= this.served.load().then(module => {
      this.handler = module.default
      return module.default
    })
    return this.#loading
  }
}
