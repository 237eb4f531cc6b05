import type { Done, Outcome } from './command.ts'
import type { Context } from './context.ts'
import { done } from './sessions.ts'

export function balance(_: unknown, _context: Context): Outcome<Done> {
  return done([])
}
