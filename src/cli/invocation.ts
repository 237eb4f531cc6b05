import { basename, relative } from 'node:path'
import type { Terminal } from './terminal.ts'

/** How the user reached us, so that lines to copy work. */
export function invocation(env: Terminal['env']): string {
  if (env.npm_lifecycle_event === 'npx' || env.npm_command === 'exec') return 'npx ottla'
  if (env.npm_lifecycle_event === 'start') return 'node bin/ottla.js'
  const program = process.argv[1] ?? ''
  // What is installed is called by its name.
  return basename(program) === 'ottla.js' ? `node ${relative(process.cwd(), program)}` : 'ottla'
}
