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
  /** What happens when the reader of the output has enough (`| head`); by default the process ends quietly. */
  onOutputClosed(run: () => void): void
  /**
   * For commands that serve others. From now on what cannot be written (the reader is gone, the disk is full, the terminal was
   * hung up) is lost, and nothing else happens: no broker ends because nobody reads its log.
   */
  outputMayBeLost(): void
  /** Writes to standard output; never throws where output may be lost. */
  print(text: string): void
}

export function processTerminal(): Terminal {
  const { env, stdin, stdout, stderr } = process
  let closed: () => void = () => process.exit(0)
  let mayBeLost = false
  stdout.on('error', error => {
    if (mayBeLost) return
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error
    closed()
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
    onOutputClosed(run) {
      closed = run
    },
    outputMayBeLost() {
      mayBeLost = true
    },
    print(text) {
      try {
        stdout.write(text)
      } catch (error) {
        // Before Node 20.3 a full disk says so at once, and not by an event.
        if (!mayBeLost) throw error
      }
    },
  }
}
