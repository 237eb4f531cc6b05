import type { Logger } from '../../../world/logger.ts'
import { BrokenChain } from './chain.ts'
import { StoreUnfit, StoreUnreachable } from './fenced-log.ts'

/** What is wrong with a store: told once, and once more when it is over. */
export class Trouble {
  readonly #store: string
  readonly #logger: Logger
  #now = ''

  /** `store`: its name, as people know it. */
  constructor(store: string, logger: Logger) {
    this.#store = store
    this.#logger = logger
  }

  /** True: somebody must look at it, and nothing is decided before. */
  is(error: unknown): boolean {
    const reason = reasonOf(error)
    const halted = error instanceof BrokenChain || error instanceof StoreUnfit
    // There are many ways not to be reached, and one is told of.
    const trouble = error instanceof StoreUnreachable ? error.name : reason
    if (this.#now === trouble) return halted
    this.#now = trouble
    if (halted) this.#logger.error(`changes of metadata are halted, ${this.#store} cannot be trusted: ${reason}`)
    else this.#logger.warn(`waiting for ${this.#store}: ${reason}`)
    return halted
  }

  isOver(): void {
    if (this.#now === '') return
    this.#now = ''
    this.#logger.info(`${this.#store} is back`)
  }
}

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
