import { writeFileSync } from 'node:fs'
import { log } from './program.ts'

/**
 * Shows the page. With a file for the raw results, writes both, the page beside it as `.md`; `pictures`: what else belongs
 * there, by its ending.
 */
export function publish(
  page: string,
  results: object,
  out: string | null,
  pictures: Readonly<Record<string, string>> = {},
): void {
  console.log(page)
  if (out === null) return
  const base = out.replace(/\.json$/, '')
  const files = { json: `${JSON.stringify(results, null, 2)}\n`, md: page, ...pictures }
  for (const [ending, text] of Object.entries(files)) writeFileSync(`${base}.${ending}`, text)
  log(`written: ${base}.{${Object.keys(files)}}`)
}
