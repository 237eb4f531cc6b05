import { createRequire } from 'node:module'
import { type Codec, corrupt, tooLarge } from './codec.ts'

type Zlib = typeof import('node:zlib')

let zlib: Zlib | null = null

/** Loaded with the first compressed batch, so that it does not slow the start. */
export function loadZlib(): Zlib {
  zlib ??= createRequire(import.meta.url)('node:zlib') as Zlib
  return zlib
}

/** Node's own zlib, synchronous forms. Levels 1–9, −1 for zlib's default. */
export const gzip: Codec = {
  type: 'gzip',
  compress: (bytes, level = -1) => loadZlib().gzipSync(bytes, { level }),
  decompress(bytes, maxBytes) {
    try {
      return loadZlib().gunzipSync(bytes, { maxOutputLength: Math.max(1, maxBytes) })
    } catch (error) {
      throw zlibError('gzip', error, maxBytes)
    }
  },
}

export function zlibError(type: 'gzip' | 'zstd', error: unknown, maxBytes: number): Error {
  if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') return tooLarge(type, maxBytes)
  return corrupt(`${type}: ${(error as Error).message}`)
}
