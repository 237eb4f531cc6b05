import { splitList } from './values.ts'

export interface Address {
  readonly host: string
  readonly port: number
}

/** Where to listen: a name (Kafka's listener name), a host (empty: every interface) and a port (0: any free one). */
export interface Endpoint extends Address {
  readonly name: string
}

export type Endpoints = { readonly endpoints: readonly Endpoint[] } | { readonly error: string }

/**
 * Kafka's `NAME://host:port,…`. Controller listeners are left out: a node talks to itself without one. A listener whose
 * protocol is not PLAINTEXT is an error, because serving it in the clear would be worse.
 */
export function readListeners(text: string, protocols: string, controllers: readonly string[]): Endpoints {
  const map = new Map(splitList(protocols).map(pair => pair.split(':') as [string, string]))
  const endpoints: Endpoint[] = []
  for (const item of splitList(text)) {
    const parts = /^([A-Za-z0-9_.-]+):\/\/(?:\[([^\]]*)\]|([^:/[\]]*)):(\d{1,5})$/.exec(item)
    const port = Number(parts?.[4])
    if (parts === null || port > 65535) return { error: `Listener ${item} must look like NAME://host:port` }
    const name = parts[1]!.toUpperCase()
    if (controllers.includes(name) || controllers.includes(parts[1]!)) continue
    const protocol = map.get(name) ?? map.get(parts[1]!)
    if (protocol === undefined) {
      return { error: `Listener ${name} has no entry in listener.security.protocol.map` }
    }
    if (protocol.toUpperCase() !== 'PLAINTEXT') {
      return { error: `Listener ${name} asks for ${protocol}, but only PLAINTEXT is served yet` }
    }
    endpoints.push({ name, host: parts[2] ?? parts[3] ?? '', port })
  }
  return endpoints.length === 0 ? { error: 'listeners must name a broker listener' } : { endpoints }
}

/** `host`, `host:port`, `[v6]:port`; null when it is none of them. */
export function readAddress(text: string, defaultPort: number): Address | null {
  const parts = /^(?:\[([^\]]+)\]|([^:[\]\s/]+))(?::(\d{1,5}))?$/.exec(text.trim())
  if (parts === null) return /^[0-9a-fA-F:]+$/.test(text) ? { host: text, port: defaultPort } : null
  const port = parts[3] === undefined ? defaultPort : Number(parts[3])
  return port > 65535 ? null : { host: parts[1] ?? parts[2]!, port }
}
