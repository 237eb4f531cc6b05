import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../command.ts'
import { removeFolder, root, temporaryFolder } from '../place.ts'
import type { Events } from './results.ts'

/** A thousand subscribers of one topic, for so many seconds, and a node that is killed under them. */
export async function measureEvents(port: number, seconds: number): Promise<Events> {
  const folder = temporaryFolder('events')
  const file = join(folder, 'events.json')
  const words = ['--port', String(port), '--seconds', String(seconds), '--json', file]
  await run(process.execPath, [join(root, 'dist/test/gateway/events-load.js'), ...words], {
    timeoutMs: (seconds + 240) * 1000,
  })
  const events = JSON.parse(readFileSync(file, 'utf8')) as Events
  removeFolder(folder)
  return events
}
