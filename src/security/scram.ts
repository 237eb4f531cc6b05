import { createHash, createHmac, pbkdf2Sync, timingSafeEqual } from 'node:crypto'
import type { Random } from '../world/world.ts'

/**
 * SCRAM-SHA-256 (RFC 5802, 7677; KIP-84), without channel binding: both sides prove that they know a password, and neither
 * shows it. Pure conversations: a message in, a message out.
 */

export const scramMechanism = 'SCRAM-SHA-256'

/** The RFC's least. More would only slow down who guesses, and nobody guesses 256 random bits. */
const iterations = 4096
/** What another server may ask of us: the RFC's least, and no more work than a few milliseconds. */
const fewestIterations = 4096
const mostIterations = 65_536
const nonceBytes = 24
/** A message of ours has some 200 bytes; Kafka's own limit is of this order. */
const mostBytes = 4096
/** `n,,` in base64: no channel binding, no other identity. */
const withoutBinding = 'biws'

/** The other side does not know the secret, or speaks nonsense. The message never says more than that. */
export class ScramError extends Error {
  override readonly name = 'ScramError'
}

/** What a password becomes; a server could keep it instead of the password. */
interface Keys {
  readonly clientKey: Buffer
  readonly storedKey: Buffer
  readonly serverKey: Buffer
}

/** The same few passwords again and again: one cluster's secret. PBKDF2 takes two milliseconds each time. */
const known = new Map<string, Keys>()
const mostKnown = 16

function keysOf(password: string, salt: Buffer, rounds: number): Keys {
  const name = createHash('sha256')
    .update(`${rounds}:${salt.toString('base64')}:`)
    .update(password)
    .digest('base64')
  const before = known.get(name)
  if (before !== undefined) return before
  const salted = pbkdf2Sync(password.normalize('NFKC'), salt, rounds, 32, 'sha256')
  const clientKey = hmac(salted, 'Client Key')
  const keys = { clientKey, storedKey: sha256(clientKey), serverKey: hmac(salted, 'Server Key') }
  if (known.size >= mostKnown) known.clear()
  known.set(name, keys)
  return keys
}

/**
 * One salt for a password, wherever it is used: for a secret of 256 random bits it needs to keep nobody from comparing, and
 * each side computes the keys only once.
 */
const saltOf = (password: string): Buffer => hmac(Buffer.from(password.normalize('NFKC')), 'ottla salt').subarray(0, 16)

/** The side that wants in. */
export class ScramClient {
  readonly #password: string
  readonly #firstBare: string
  readonly #nonce: string
  #expected: Buffer | null = null

  constructor(user: string, password: string, random: Pick<Random, 'bytes'>) {
    this.#password = password
    this.#nonce = newNonce(random)
    this.#firstBare = `n=${user.replaceAll('=', '=3D').replaceAll(',', '=2C')},r=${this.#nonce}`
  }

  first(): Buffer {
    return Buffer.from(`n,,${this.#firstBare}`)
  }

  /** The answer to the server's first message. Throws ScramError. */
  final(serverFirst: Uint8Array): Buffer {
    const text = textOf(serverFirst)
    const { r: nonce, s: salt64, i: rounds } = attributes(text, ['r', 's', 'i'])
    const salt = base64(salt64)
    if (!nonce.startsWith(this.#nonce) || nonce.length === this.#nonce.length) throw new ScramError('a foreign nonce')
    if (!/^[1-9]\d{0,8}$/.test(rounds) || Number(rounds) < fewestIterations || Number(rounds) > mostIterations)
      throw new ScramError(`${fewestIterations} to ${mostIterations} iterations are allowed, not ${rounds}`)
    if (salt.length === 0) throw new ScramError('no salt')
    const keys = keysOf(this.#password, salt, Number(rounds))
    const withoutProof = `c=${withoutBinding},r=${nonce}`
    const message = `${this.#firstBare},${text},${withoutProof}`
    this.#expected = hmac(keys.serverKey, message)
    const proof = xor(keys.clientKey, hmac(keys.storedKey, message))
    return Buffer.from(`${withoutProof},p=${proof.toString('base64')}`)
  }

  /** Throws ScramError unless the server, too, has proved that it knows the password. */
  verify(serverFinal: Uint8Array): void {
    const { v: signature } = attributes(textOf(serverFinal), ['v'])
    if (this.#expected === null || !same(base64(signature), this.#expected))
      throw new ScramError('the other side does not know the secret itself')
  }
}

/** The side that is asked. */
export class ScramServer {
  readonly #passwordOf: (user: string) => string | null
  readonly #random: Pick<Random, 'bytes'>
  #header = ''
  #clientFirstBare = ''
  #serverFirst = ''
  #nonce = ''
  #keys: Keys | null = null
  #state: 'first' | 'final' | 'done' = 'first'
  #exists = false
  user = ''

  /** `passwordOf`: null for a user whom nobody knows; he fails as late, and as silently, as a wrong password. */
  constructor(passwordOf: (user: string) => string | null, random: Pick<Random, 'bytes'>) {
    this.#passwordOf = passwordOf
    this.#random = random
  }

  /** True when the client has proved itself; its server does so with the answer that `next` gave. */
  get complete(): boolean {
    return this.#state === 'done' && this.#exists
  }

  /** The answer to the next message of the client. Throws ScramError: then the conversation is over. */
  next(message: Uint8Array): Buffer {
    const state = this.#state
    this.#state = 'done'
    if (state === 'first') return this.#first(textOf(message))
    if (state === 'final') return this.#final(textOf(message))
    throw new ScramError('a message after the last one')
  }

  #first(text: string): Buffer {
    // gs2-header: `n` or `y` (no channel binding), perhaps the identity to act as, which must be the user's own.
    const parts = /^([ny],(?:a=([^,]+))?,)(n=([^,]+),r=([\x21-\x2b\x2d-\x7e]{8,256}))$/.exec(text)
    if (parts === null) throw new ScramError('a first message that is none')
    const [, header = '', identity, bare = '', user = '', nonce = ''] = parts
    if (/=(?!2C|3D)/.test(user) || (identity !== undefined && identity !== user))
      throw new ScramError('a name that is none')
    this.user = user.replaceAll('=2C', ',').replaceAll('=3D', '=')
    const password = this.#passwordOf(this.user)
    this.#exists = password !== null
    const secret = password ?? Buffer.from(this.#random.bytes(32)).toString('base64')
    const salt = saltOf(secret)
    this.#keys = password === null ? unknownKeys(this.#random) : keysOf(password, salt, iterations)
    this.#header = header
    this.#clientFirstBare = bare
    this.#nonce = nonce + newNonce(this.#random)
    this.#serverFirst = `r=${this.#nonce},s=${salt.toString('base64')},i=${iterations}`
    this.#state = 'final'
    return Buffer.from(this.#serverFirst)
  }

  #final(text: string): Buffer {
    const exists = this.#exists
    this.#exists = false
    const { c: binding, r: nonce, p: proof } = attributes(text, ['c', 'r', 'p'])
    if (base64(binding).toString() !== this.#header || nonce !== this.#nonce)
      throw new ScramError('a foreign nonce or channel')
    const message = `${this.#clientFirstBare},${this.#serverFirst},c=${binding},r=${nonce}`
    const keys = this.#keys as Keys
    const given = base64(proof)
    if (given.length !== 32) throw new ScramError('a proof that is none')
    const clientKey = xor(given, hmac(keys.storedKey, message))
    if (!same(sha256(clientKey), keys.storedKey) || !exists) throw new ScramError('the wrong secret')
    this.#exists = true
    return Buffer.from(`v=${hmac(keys.serverKey, message).toString('base64')}`)
  }
}

/** Keys that nobody has, at no cost for who asks for names that do not exist. */
function unknownKeys(random: Pick<Random, 'bytes'>): Keys {
  const key = () => Buffer.from(random.bytes(32))
  return { clientKey: key(), storedKey: key(), serverKey: key() }
}

/** Attributes that must come in this order, and first: mandatory extensions, which would stand before them, we do not know. */
function attributes<Name extends string>(text: string, names: readonly Name[]): Record<Name, string> {
  const parts = text.split(',')
  const found = {} as Record<Name, string>
  for (const [at, name] of names.entries()) {
    const part = parts[at] ?? ''
    if (!part.startsWith(`${name}=`)) throw new ScramError('a message that is none')
    found[name] = part.slice(2)
  }
  return found
}

function textOf(bytes: Uint8Array): string {
  if (bytes.length > mostBytes) throw new ScramError('a message that is too long')
  return Buffer.from(bytes).toString('utf8')
}

function base64(text: string): Buffer {
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text))
    throw new ScramError('something that is not base64')
  return Buffer.from(text, 'base64')
}

const newNonce = (random: Pick<Random, 'bytes'>): string => Buffer.from(random.bytes(nonceBytes)).toString('base64')
const hmac = (key: Uint8Array, text: string): Buffer => createHmac('sha256', key).update(text).digest()
const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest()
const same = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && timingSafeEqual(a, b)

function xor(a: Uint8Array, b: Uint8Array): Buffer {
  const out = Buffer.alloc(a.length)
  for (let i = 0; i < a.length; i++) out[i] = (a[i] ?? 0) ^ (b[i] ?? 0)
  return out
}
