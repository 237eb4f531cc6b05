import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, sep } from 'node:path'
import { type Mutant, mutants } from './mutants.ts'

// npm run simulate -- --mutants [NAME]: makes classic mistakes, one after the other, and sees them found.

const dist = new URL('../../', import.meta.url).pathname

interface Result {
  readonly mutant: Mutant
  /** null: it was not found. */
  readonly seed: number | null
  readonly finding: string
  readonly seconds: number
}

/** A copy of the compiled code in which one mistake is made. */
function mutated(mutant: Mutant): string {
  const place = mkdtempSync(join(tmpdir(), 'ottla-mutant-'))
  for (const part of ['src', join('test', 'simulation'), join('test', 'checker')]) {
    cpSync(join(dist, part), join(place, 'dist', part), { recursive: true, filter: isCode })
  }
  symlinkSync(join(dist, '..', 'node_modules'), join(place, 'node_modules'))
  writeFileSync(join(place, 'package.json'), '{"type":"module"}')
  const path = join(place, 'dist', mutant.file)
  for (const { find, instead } of [mutant, ...(mutant.and === undefined ? [] : [mutant.and])]) {
    const pieces = readFileSync(path, 'utf8').split(find)
    if (pieces.length !== 2) {
      rmSync(place, { recursive: true })
      throw new Error(`${mutant.name}: ${mutant.file} has ${pieces.length - 1} places that read ${find}`)
    }
    writeFileSync(path, pieces.join(instead))
  }
  return place
}

function isCode(path: string): boolean {
  const name = path.slice(path.lastIndexOf(sep) + 1)
  return !/\.(map|d\.ts)$/.test(name) && !/\.test\.js$/.test(name)
}

async function hunt(mutant: Mutant): Promise<Result> {
  const began = performance.now()
  const place = mutated(mutant)
  try {
    const args = ['--seeds', String(mutant.seeds), '--servers', String(mutant.servers)]
    if (mutant.orderer !== undefined) args.push('--orderer', mutant.orderer)
    const child = spawn(process.execPath, [join(place, 'dist', 'test', 'simulation', 'run.js'), ...args])
    let said = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', bytes => {
        said += bytes
      })
    }
    const code = await new Promise<number | null>(resolve => child.on('close', resolve))
    const found = /^seed (\d+): (.*)$/m.exec(said)
    if (found === null && code !== 0) throw new Error(`${mutant.name}: ${said}`)
    const seconds = (performance.now() - began) / 1000
    return { mutant, seed: found === null ? null : Number(found[1]), finding: found?.[2] ?? '', seconds }
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
}

/** True when all were found. */
export async function huntMutants(name: string): Promise<boolean> {
  const chosen = mutants.filter(mutant => mutant.name.includes(name))
  let missed = 0
  for (const mutant of chosen) {
    const { seed, finding, seconds } = await hunt(mutant)
    if (seed === null) missed++
    const verdict = seed === null ? `NOT FOUND in ${mutant.seeds} seeds` : `seed ${seed} of ${mutant.seeds}`
    console.log(`${verdict.padEnd(24)} ${mutant.name} (${mutant.servers} servers, ${seconds.toFixed(1)} s)`)
    if (finding !== '') console.log(`${' '.repeat(25)}${finding.slice(0, 200)}`)
  }
  console.log(`${chosen.length - missed} of ${chosen.length} mistakes found`)
  return missed === 0 && chosen.length > 0
}
