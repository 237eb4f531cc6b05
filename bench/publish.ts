import { writeFileSync } from 'node:fs'

/** Shows the page; with a file for the raw results, writes both, the page beside it as `.md`. */
export function publish(page: string, results: object, out: string | null, log: (line: string) => void): void {
  console.log(page)
  if (out === null) return
  const base = out.replace(/\.json$/, '')
  writeFileSync(`${base}.json`, `${JSON.stringify(results, null, 2)}\n`)
  writeFileSync(`${base}.md`, page)
  log(`written: ${base}.{json,md}`)
}
