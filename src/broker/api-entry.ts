import type { Handler } from './handler.ts'
import type { ServedApi } from './served.ts'

/** An API whose handler may still have to be loaded. */
export class ApiEntry {
  readonly served: ServedApi
  handler: Handler | null = null
  #loading: Promise<Handler> | null = null

  constructor(served: ServedApi) {
    this.served = served
  }

  load(): Promise<Handler> {
    this.#loading ??= this.served.load().then(module => {
      this.handler = module.default
      return module.default
    })
    return this.#loading
  }
}
