import type { Address } from '../../../world/world.ts'

/** `redis://[user:password@]host[:port][/database][?prefix=…&replicas=…&accept=…]` */
export interface RedisTarget {
  readonly address: Address
  readonly username: string
  readonly password: string
  readonly database: number
  /** Of all keys. */
  readonly prefix: string
  /** Copies that must have an append before it counts. */
  readonly replicas: number
  /** See `FencedOrdererOptions.accept`. */
  readonly accept: string | null
}

const parameters = ['prefix', 'replicas', 'accept']

/** Throws with one sentence that says what is wrong; it never repeats the password. */
export function parseRedisUrl(text: string): RedisTarget {
  let url: URL
  try {
    url = new URL(text)
  } catch {
    throw new Error('it is not an address like redis://localhost:6379')
  }
  if (url.protocol === 'rediss:')
    throw new Error('rediss:// (TLS) is not supported; use redis:// inside of a safe network')
  if (url.protocol !== 'redis:') throw new Error(`${url.protocol}// is not redis://`)
  const unknown = [...url.searchParams.keys()].find(name => !parameters.includes(name))
  if (unknown !== undefined) throw new Error(`?${unknown}= is not known; there are ${parameters.join(', ')}`)
  const prefix = url.searchParams.get('prefix') ?? 'ottla'
  if (!/^[\w.:-]{1,100}$/.test(prefix)) throw new Error('prefix= takes letters, digits and . : - _')
  return {
    address: { host: url.hostname.replace(/^\[(.*)\]$/, '$1') || 'localhost', port: Number(url.port || 6379) },
    username: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    database: count(url.pathname.slice(1), 'the database'),
    prefix,
    replicas: count(url.searchParams.get('replicas') ?? '', 'replicas='),
    accept: url.searchParams.get('accept'),
  }
}

function count(text: string, what: string): number {
  if (!/^\d{0,4}$/.test(text)) throw new Error(`${what} is a number, not ${text}`)
  return Number(text)
}
