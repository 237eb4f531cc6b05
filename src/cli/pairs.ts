import { Failure } from './failure.ts'

/** `key=value` flags that may be repeated, or several in one separated by commas where Kafka's tools allow that. */
export function pairsOf(flag: string, texts: readonly string[] | undefined): Map<string, string> {
  const pairs = new Map<string, string>()
  for (const text of texts ?? []) {
    const at = text.indexOf('=')
    if (at <= 0) throw new Failure(`${flag} ${text}: say ${flag} key=value`, 2)
    pairs.set(text.slice(0, at).trim(), text.slice(at + 1))
  }
  return pairs
}

/** Kafka's `--add-config a=1,b=[x,y]`: brackets keep the commas of a list together. */
export function bracketedPairs(flag: string, text: string): Map<string, string> {
  const parts = text.match(/(?:[^,[]|\[[^\]]*\])+/g) ?? []
  const pairs = pairsOf(flag, parts)
  for (const [key, value] of pairs) pairs.set(key, value.replace(/^\[(.*)\]$/, '$1'))
  return pairs
}

/** For commander: gathers a flag that may be repeated. */
export const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value]
