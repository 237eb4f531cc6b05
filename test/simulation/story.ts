/** What happened, told in the order in which it did: kept only when somebody wants to read it. */
export class Story {
  readonly lines: string[] = []
  readonly #wanted: boolean
  readonly #now: () => number

  constructor(wanted: boolean, now: () => number) {
    this.#wanted = wanted
    this.#now = now
  }

  tell(who: string, what: () => string): void {
    if (this.#wanted) this.lines.push(`${this.#now().toFixed(3).padStart(11)}  ${who.padEnd(10)} ${what()}`)
  }
}
