import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, sep } from 'node:path'
import { replicationMutants } from '../replication/mutants.ts'
import { type Mistake, mutants } from './mutants.ts'

// npm run simulate -- --mutants [NAME]: makes classic mistakes, one after the other, and sees them found.

const dist = new URL('../../', import.meta.url).pathname

/** A mistake, and the program below dist/ that shall find it. */
interface Hunt {
  readonly mistake: Mistake
  readonly where: string
  readonly program: string
  /** Of that program, for seeds from … to. */
  args(from: number, to: number): string[]
}

interface Result {
  /** null: it was not found. */
  readonly seed: number | null
  readonly finding: string
  readonly seconds: number
}

const hunts: readonly Hunt[] = [
  ...mutants.map(mistake => ({
    mistake,
    where: `${mistake.servers} servers`,
    program: 'test/simulation/run.js',
    args: (from: number, to: number) => [
      ...['--from', String(from), '--seeds', String(to - from + 1), '--servers', String(mistake.servers)],
      ...(mistake.orderer === undefined ? [] : ['--orderer', mistake.orderer]),
      ...(mistake.tight === true ? ['--tight'] : []),
    ],
  })),
  ...replicationMutants.map(mistake => ({
    mistake,
    where: 'one partition',
    program: 'test/replication/search.js',
    args: (from: number, to: number) => [String(from), String(to), JSON.stringify(mistake.options ?? {})],
  })),
]

/** A copy of the compiled code in which one mistake is made. */
function mutated(mistake: Mistake): string {
  const place = mkdtempSync(join(tmpdir(), 'ottla-mutant-'))
  for (const part of ['src', ...['simulation', 'replication', 'checker'].map(name => join('test', name))]) {
    cpSync(join(dist, part), join(place, 'dist', part), { recursive: true, filter: isCode })
  }
  symlinkSync(join(dist, '..', 'node_modules'), join(place, 'node_modules'))
  writeFileSync(join(place, 'package.json'), '{"type":"module"}')
  const path = join(place, 'dist', mistake.file)
  for (const { find, instead } of [mistake, ...(mistake.and === undefined ? [] : [mistake.and])]) {
    const pieces = readFileSync(path, 'utf8').split(find)
    if (pieces.length !== 2) {
      rmSync(place, { recursive: true })
      throw new Error(`${mistake.name}: ${mistake.file} has ${pieces.length - 1} places that read ${find}`)
    }
    writeFileSync(path, pieces.join(instead))
  }
  return place
}

function isCode(path: string): boolean {
  const name = path.slice(path.lastIndexOf(sep) + 1)
  return !/\.(map|d\.ts)$/.test(name) && !/\.test\.js$/.test(name)
}

/** The first seed that finds something, and what; null: none does. */
async function search(folder: string, { mistake, program, args }: Hunt, from: number, to: number) {
  const child = spawn(process.execPath, [join(folder, program), ...args(from, to)])
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', bytes => {
      said += bytes
    })
  }
  const code = await new Promise<number | null>(resolve => child.on('close', resolve))
  const found = /^seed (\d+): (.*)$/m.exec(said)
  if (found === null && code !== 0) throw new Error(`${mistake.name}: ${said}`)
  return found === null ? null : { seed: Number(found[1]), finding: found[2] as string }
}

async function carryOut(hunt: Hunt): Promise<Result> {
  const began = performance.now()
  const place = mutated(hunt.mistake)
  try {
    const found = await search(join(place, 'dist'), hunt, 1, hunt.mistake.seeds)
    if (found !== null && (await search(dist, hunt, found.seed, found.seed)) !== null)
      throw new Error(`${hunt.mistake.name}: seed ${found.seed} finds something without the mistake, too`)
    const seconds = (performance.now() - began) / 1000
    return { seed: found?.seed ?? null, finding: found?.finding ?? '', seconds }
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
}

/** True when all were found. */
export async function huntMutants(name: string): Promise<boolean> {
  const chosen = hunts.filter(({ mistake }) => mistake.name.includes(name))
  let missed = 0
  for (const hunt of chosen) {
    const { mistake, where } = hunt
    const { seed, finding, seconds } = await carryOut(hunt)
    if (seed === null) missed++
    const verdict = seed === null ? `NOT FOUND in ${mistake.seeds} seeds` : `seed ${seed} of ${mistake.seeds}`
    console.log(`${verdict.padEnd(24)} ${mistake.name} (${where}, ${seconds.toFixed(1)} s)`)
    if (finding !== '') console.log(`${' '.repeat(25)}${finding.slice(0, 200)}`)
  }
  console.log(`${chosen.length - missed} of ${chosen.length} mistakes found`)
  return missed === 0 && chosen.length > 0
}
