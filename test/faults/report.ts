import { writeFileSync } from 'node:fs'
import { check } from '../checker/check.ts'
import { type Operation, toLine } from '../checker/history.ts'

let passed = 0
let failed = 0
let skipped = 0

/** Runs one case, prints its line, goes on after a failure. */
export async function item(name: string, run: () => Promise<string | undefined>): Promise<boolean> {
  const begun = Date.now()
  try {
    const note = await run()
    passed += 1
    console.log(`passed ${name} (${Date.now() - begun} ms)${note ? `: ${note}` : ''}`)
    return true
  } catch (error) {
    failed += 1
    console.log(`FAILED ${name} (${Date.now() - begun} ms): ${(error as Error).stack ?? error}`)
    return false
  }
}

export function skip(name: string, reason: string): void {
  skipped += 1
  console.log(`skipped ${name}: ${reason}`)
}

export function keep(history: readonly Operation[], file: string): void {
  writeFileSync(file, `${history.map(toLine).join('\n')}\n`)
  console.log(`history: ${file}`)
}

/** Throws with the first findings; the whole history then lies at `file`. */
export function judge(history: readonly Operation[], file: string): string {
  const { findings, ...figures } = check(history)
  if (findings.length) {
    keep(history, file)
    const list = findings.slice(0, 12).map(f => `  ${f.kind} ${f.key}: ${f.text}`)
    throw new Error(`${findings.length} findings\n${list.join('\n')}`)
  }
  return Object.entries(figures)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ')
}

export function finish(): never {
  console.log(`${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}`)
  process.exit(failed || passed + skipped === 0 ? 1 : 0)
}

export const percentile = (values: readonly number[], q: number): number =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))] ?? 0
