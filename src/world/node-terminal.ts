import { closeSync } from 'node:fs'
import { isatty } from 'node:tty'

/**
 * For the very end of a process that may have outlived its terminal: Node wants to leave a terminal as it found it, and aborts
 * when that was hung up. What is closed it leaves alone.
 */
export function letGoOfTerminal(): void {
  for (const [fd, stream] of [process.stdin, process.stdout, process.stderr].entries()) {
    // One that was hung up is none any more.
    if (stream.isTTY === true && !isatty(fd)) closeSync(fd)
  }
}
