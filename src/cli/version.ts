import { createRequire } from 'node:module'

let cached: string | undefined

/** ottla's own version, from package.json. */
export function version(): string {
  // dist/src/cli/version.js → package.json
  cached ??= (createRequire(import.meta.url)('../../../package.json') as { version: string }).version
  return cached
}
