import { nodeWorld } from '../world/node.ts'
import type { World } from '../world/world.ts'
import { createPaint, type Paint, wantsColours } from './paint.ts'

/** Everything that a command touches outside of the broker: its arguments' surroundings, standard streams, the world. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly world: World
  readonly stdin: NodeJS.ReadStream
  readonly stdout: NodeJS.WriteStream
  readonly stderr: NodeJS.WriteStream
  /** Colours for standard output, and for standard error. */
  readonly paint: Paint
  readonly errorPaint: Paint
  /** A person reads the output (and no pipe or file). */
  readonly isTerminal: boolean
}

export function processTerminal(): Terminal {
  const { env, stdin, stdout, stderr } = process
  // A reader that has enough (`| head`) is no error: end as quietly as other tools do.
  stdout.on('error', error => {
    if ((error as NodeJS.ErrnoException).code === 'EPIPE') process.exit(0)
    throw error
  })
  stderr.on('error', () => {})
  return {
    env,
    world: nodeWorld,
    stdin,
    stdout,
    stderr,
    paint: createPaint(wantsColours(env, stdout.isTTY === true)),
    errorPaint: createPaint(wantsColours(env, stderr.isTTY === true)),
    isTerminal: stdout.isTTY === true,
  }
}
