import type { Random } from '../world/world.ts'

/** The cluster's secret: who knows it may be a node. In a data directory it is a file of this name that only its owner reads. */
export const joinTokenName = 'join-token'
/** The user that nodes are (SCRAM), the token being the password. */
export const nodeUser = 'ottla-node'
/** 256 bit. */
const tokenBytes = 32
/** Characters; what a person makes up must at least not be guessed at once. */
const shortest = 20
const ownerOnly = 0o600

interface Files {
  get(name: string): Uint8Array | null
  put(name: string, bytes: Uint8Array, mode?: number): Promise<void>
}

export const newJoinToken = (random: Pick<Random, 'bytes'>): string =>
  `ottla_${Buffer.from(random.bytes(tokenBytes)).toString('base64url')}`

/** A sentence that says what is wrong with a token, or null. It never repeats the token. */
export function tokenProblem(token: string): string | null {
  if (/[^\x21-\x7e]/.test(token)) return 'a join token has printable ASCII characters only, and no spaces'
  return token.length < shortest ? `a join token has at least ${shortest} characters` : null
}

/** The token kept here; null when there is none. */
export function readJoinToken(files: Pick<Files, 'get'>): string | null {
  const file = files.get(joinTokenName)
  const token = file === null ? '' : new TextDecoder().decode(file).trim()
  return token === '' ? null : token
}

/** Durable when fulfilled. */
export function keepJoinToken(files: Pick<Files, 'put'>, token: string): Promise<void> {
  return files.put(joinTokenName, new TextEncoder().encode(`${token}\n`), ownerOnly)
}
