import type { Gateway } from '../gateway.ts'
import { badRequest, Problem } from './problem.ts'

/** What of a request tells where it comes from. Headers are undefined when they are missing. */
export interface Caller {
  readonly method: string
  readonly host: string | undefined
  readonly origin: string | undefined
  /** `Sec-Fetch-Site`, `-Mode`, `-Dest`: what browsers say of requests that have no Origin. */
  readonly site: string | undefined
  readonly mode: string | undefined
  readonly dest: string | undefined
}

export interface GuardRules {
  /** Hosts that the node listens at or tells its clients. */
  readonly ownHosts: readonly string[]
  /** `http.allowed.hosts`: names, `*.example.org`, or `*`. */
  readonly allowedHosts: readonly string[]
  /** `http.allowed.origins`: `https://console.example.org`, or `*`. */
  readonly allowedOrigins: readonly string[]
}

type Headers = Readonly<Record<string, string>>

/** An answer needs no headers of ours. */
export const noHeaders: Headers = {}

/**
 * Keeps web pages of other origins out, which can make a user's browser send requests to this machine. The Host must be a
 * name that nobody else can point to us (else DNS rebinding makes their page ours), and the Origin, where a browser sends
 * one, must be ourselves. Gives headers for the answer; throws Problem 421 or 403.
 */
export function admit(caller: Caller, rules: GuardRules): Headers {
  if (!isOurs(caller.host, rules)) throw misdirected(caller.host)
  const { origin } = caller
  if (origin === undefined) {
    if (!isFromElsewhere(caller)) return noHeaders
    throw crossOrigin(`a page of another site (${caller.site})`)
  }
  if (sameOrigin(origin, caller.host ?? '')) return noHeaders
  if (!rules.allowedOrigins.some(allowed => allowed === '*' || allowed.toLowerCase() === origin.toLowerCase())) {
    throw crossOrigin(origin)
  }
  return {
    'access-control-allow-origin': origin,
    'access-control-expose-headers': 'location, retry-after, link',
    vary: 'Origin',
  }
}

/** Hosts that are remembered, so that not every request takes its own apart. */
const mostKnown = 100

/** The rules of a node, as its settings are now. */
export class Guard {
  readonly #gateway: Pick<Gateway, 'node' | 'config'>
  readonly #known = new Set<string>()
  #rules: GuardRules = { ownHosts: [], allowedHosts: [], allowedOrigins: [] }

  constructor(gateway: Pick<Gateway, 'node' | 'config'>) {
    this.#gateway = gateway
  }

  /** As `admit` below. */
  admit(caller: Caller): Headers {
    const { config, node } = this.#gateway
    const [allowedHosts, allowedOrigins] = [config.get('http.allowed.hosts'), config.get('http.allowed.origins')]
    // A changed setting is another list.
    if (allowedHosts !== this.#rules.allowedHosts || allowedOrigins !== this.#rules.allowedOrigins) {
      this.#rules = { ownHosts: node.hosts, allowedHosts, allowedOrigins }
      this.#known.clear()
    }
    const { host = '', origin, site } = caller
    if (origin === undefined && site === undefined && this.#known.has(host)) return noHeaders
    const headers = admit(caller, this.#rules)
    if (this.#known.size < mostKnown) this.#known.add(host)
    return headers
  }
}

/** What a browser asks before it sends a request of another origin (a CORS preflight) that was admitted. */
export function preflight(methods: readonly string[], requestedHeaders: string | undefined): Headers {
  return {
    'access-control-allow-methods': methods.join(', '),
    ...(requestedHeaders === undefined ? {} : { 'access-control-allow-headers': requestedHeaders }),
    'access-control-max-age': '600',
  }
}

/** Whether a Host header can only mean us. */
export function isOurs(host: string | undefined, rules: Pick<GuardRules, 'ownHosts' | 'allowedHosts'>): boolean {
  const name = nameIn(host)
  if (name === null) return false
  return (
    isAddress(name) ||
    isPrivateName(name) ||
    rules.ownHosts.some(own => own.toLowerCase() === name) ||
    rules.allowedHosts.some(allowed => matches(allowed.toLowerCase(), name))
  )
}

/** The name or address in `host:port`, in small letters and without brackets or the root's dot; null for nonsense. */
function nameIn(host: string | undefined): string | null {
  const parts = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?$/i.exec(host ?? '')
  const name = (parts?.[1] ?? parts?.[2] ?? '').toLowerCase().replace(/\.$/, '')
  return name === '' ? null : name
}

/** Nobody's DNS is asked about an address, so it cannot be made to point elsewhere. */
function isAddress(name: string): boolean {
  return name.includes(':') || /^\d{1,3}(\.\d{1,3}){3}$/.test(name)
}

/** Names that are nobody's in the public DNS: of this machine, of a container beside us, of a local network (RFC 6761, 6762, 9476). */
function isPrivateName(name: string): boolean {
  return !name.includes('.') || /\.(localhost|local|internal|test|home\.arpa)$/.test(name)
}

function matches(allowed: string, name: string): boolean {
  if (allowed === '*') return true
  return allowed.startsWith('*.') ? name.endsWith(allowed.slice(1)) : allowed === name
}

function sameOrigin(origin: string, host: string): boolean {
  const parts = /^https?:\/\/([^/]+)$/i.exec(origin)
  return parts !== null && withPort(parts[1]!, origin) === withPort(host, origin)
}

/** A port that is left out is the scheme's. */
function withPort(host: string, origin: string): string {
  const plain = host.toLowerCase()
  return /:\d+$/.test(plain) ? plain : `${plain}:${/^https:/i.test(origin) ? 443 : 80}`
}

/**
 * Browsers send no Origin with what they only load (images, scripts, frames, pages), but say where it was asked for. A link
 * to us may be followed; its page cannot be framed, and no GET changes anything.
 */
function isFromElsewhere({ method, site, mode, dest }: Caller): boolean {
  if (site === undefined || site === 'same-origin' || site === 'none') return false
  const followed = mode === 'navigate' && (dest === undefined || dest === 'document')
  return !(followed && (method === 'GET' || method === 'HEAD'))
}

function misdirected(host: string | undefined): Problem {
  if (host === undefined || host === '') return badRequest('The request names no host')
  const detail = `The request is for ${host}. If that is this node, add the name to http.allowed.hosts`
  return new Problem(421, 'wrong-host', 'This name is not known to be ours', detail)
}

function crossOrigin(from: string): Problem {
  return new Problem(
    403,
    'cross-origin',
    'Pages of other origins are kept out',
    `The request comes from ${from}. If that is wanted, add its origin to http.allowed.origins`,
  )
}
