import { Agenda } from '../../src/machine/agenda.test.kit.ts'

/** Whoever an event happens to: nothing happens to the dead, and what happens to the paused waits. */
export interface Actor {
  readonly name: string
  readonly alive: boolean
  readonly paused: boolean
  /** Where a paused actor's events wait. */
  readonly backlog: (() => void)[]
}

/** What a program goes round in: whatever becomes ready while an iteration lasts is handled in the next one. */
export interface Loop {
  /** Nobody waits for the loop of the dead; the paused keep what comes as it comes. */
  readonly turns: boolean
  /** When it takes up what is ready at `now`: at once, or, if it is busy, when it has gone round. */
  takesUp(now: number): number
}

export interface Event {
  at: number
  order: number
  readonly actor: Actor | null
  readonly loop: Loop | null
  run: (() => void) | null
}

/** Events that run in one go of Node's own loop: after each of them Node lets all promises settle. */
const perLoop = 64

/** One queue for everything that happens: ordered by time, then by the order in which it was asked for. */
export class Events {
  /** ms since the simulation began. */
  now = 0
  /** Events that have happened. */
  count = 0
  /** To whom the present event happens, with all promises that settle because of it. */
  readonly actors: Actor[] = []
  /** A number that two runs share only if they did the same in the same order. */
  hash = 0
  readonly #agenda = new Agenda<Event>()
  readonly #after: () => void
  readonly #crashed: (error: unknown) => void
  #order = 0
  #cancelled = 0

  /** `after`: called when an event and all that follows from it has happened. `crashed`: what an event threw. */
  constructor(after: () => void, crashed: (error: unknown) => void) {
    this.#after = after
    this.#crashed = crashed
  }

  /**
   * After `ms`. Without an actor it is the world itself to which it happens. `loop`: whose loop has to come round to it;
   * null: it is the end of a turn, or nobody's.
   */
  in(ms: number, actor: Actor | null, run: () => void, loop: Loop | null = null): Event {
    const event: Event = { at: this.now + Math.max(0, ms), order: this.#order++, actor, loop, run }
    this.#agenda.push(event)
    return event
  }

  cancel(event: Event): void {
    if (event.run === null) return
    event.run = null
    if (++this.#cancelled <= 1000 || this.#cancelled <= this.#agenda.length / 2) return
    this.#agenda.keep(({ run }) => run !== null)
    this.#cancelled = 0
  }

  /** Runs now, as part of the present event, or later if the actor is paused. */
  enter(actor: Actor, run: () => void): void {
    if (!actor.alive) return
    if (actor.paused) {
      actor.backlog.push(run)
      return
    }
    if (!this.actors.includes(actor)) this.actors.push(actor)
    run()
  }

  /** Mixes a number into the hash of this run. */
  note(value: number): void {
    this.hash = Math.imul(this.hash ^ (value | 0), 0x01000193) >>> 0
  }

  /** Lets things happen until `until` (ms), or until `done` says so after an event. */
  run(until: number, done: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      let over = false
      const step = () => {
        if (over) return
        try {
          over = !this.#step(until, done)
        } catch (error) {
          over = true
          reject(error)
        }
      }
      const loop = () => {
        for (let i = 0; i < perLoop; i++) setImmediate(step)
        setImmediate(() => (over ? resolve() : loop()))
      }
      loop()
    })
  }

  #step(until: number, done: () => boolean): boolean {
    this.#after()
    this.actors.length = 0
    if (done()) return false
    for (;;) {
      const event = this.#agenda.next
      if (event === undefined || event.at > until) {
        this.now = Math.max(this.now, Math.min(until, Number.MAX_SAFE_INTEGER))
        return false
      }
      this.#agenda.pop()
      const { run, actor, loop } = event
      if (run === null) {
        this.#cancelled--
        continue
      }
      if (actor !== null && !actor.alive) continue
      if (loop?.turns === true) {
        const at = loop.takesUp(event.at)
        if (at > event.at) {
          event.at = at
          event.order = this.#order++
          this.#agenda.push(event)
          continue
        }
      }
      this.now = event.at
      this.count++
      event.run = null
      this.note(event.order)
      try {
        if (actor === null) run()
        else this.enter(actor, run)
      } catch (error) {
        this.#crashed(error)
      }
      return true
    }
  }
}
