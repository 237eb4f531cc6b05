import { useEffect, useState } from 'preact/hooks'

/** Where in the console somebody is: `#/topics/orders/messages`. */
export function useRoute(): string[] {
  const [hash, setHash] = useState(location.hash)
  useEffect(() => {
    const changed = () => setHash(location.hash)
    addEventListener('hashchange', changed)
    return () => removeEventListener('hashchange', changed)
  }, [])
  return hash
    .replace(/^#\/?/, '')
    .split('/')
    .filter(part => part !== '')
    .map(decodeURIComponent)
}

export const link = (...parts: (string | number)[]): string =>
  `#/${parts.map(part => encodeURIComponent(part)).join('/')}`

export const go = (...parts: (string | number)[]): void => {
  location.hash = link(...parts)
}
