import type { Address } from '../world/world.ts'

/**
 * Addresses as Kafka's tools take them: `host:port`, several with commas, IPv6 in brackets. Without a port it is 9092.
 * Throws RangeError for what is none.
 */
export function parseAddresses(text: string): Address[] {
  return text
    .split(',')
    .map(part => part.trim())
    .filter(part => part !== '')
    .map(parseAddress)
}

function parseAddress(text: string): Address {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text)
  const port = Number(match?.[3] ?? 9092)
  if (match === null || port === 0 || port > 65535) throw new RangeError(`${text} is not host:port`)
  return { host: (match[1] ?? match[2])!, port }
}

export function showAddress({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
