import { createRequire } from 'node:module'

let cached: string | undefined

/** ottla's own version, from package.json. */
export function version(): string {
  // By the package's own name: the path differs between the compiled and the bundled form.
  cached ??= (createRequire(import.meta.url)('ottla/package.json') as { version: string }).version
  return cached
}
