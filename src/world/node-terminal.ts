import { closeSync } from 'node:fs'

/**
 * At the very end of a process whose terminal was hung up: Node wants to leave a terminal as it found it, cannot any more, and
 * would abort. What is closed it leaves alone. To be called when nothing is printed any more.
 */
export function letGoOfTerminal(): void {
  for (const [fd, stream] of [process.stdin, process.stdout, process.stderr].entries()) {
    if (stream.isTTY !== true) continue
    try {
      closeSync(fd)
    } catch {
      // it was closed before us
    }
  }
}
