// Classic mistakes, made on purpose: each is put into a copy of the compiled code and must be found by a few seeds.
import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Run, type RunOptions } from './run.ts'

interface Mutant {
  readonly mistake: string
  /** Below src/. */
  readonly file: string
  readonly from: string | RegExp
  readonly to: string
  /** Where two lines guard against it. */
  readonly and?: { readonly from: string; readonly to: string }
  /** Looked at first: it is known to find the mistake. */
  readonly seed: number
  readonly options?: RunOptions
}

const mutants: readonly Mutant[] = [
  {
    mistake: 'the high watermark looks at the committed ISR only',
    seed: 25,
    file: 'replication/in-sync.js',
    from: /if \(maximalIsr\.includes[\s\S]*?isEligible\(term, follower\)\)\)/,
    to: 'if (term.isr.includes(follower.id))',
  },
  {
    mistake: 'who has what this leader knows to be committed may join',
    seed: 15,
    file: 'replication/in-sync.js',
    from: /follower\.endOffset >= term\.epochStartOffset &&\s*isCaughtUp\(term, follower\) &&/,
    to: '',
    options: { mix: { kill: 1, power: 0, allPower: 0, elect: 1, rot: 0, cut: 0, slow: 1 } },
  },
  {
    mistake: 'a log that parts from its leader’s is cut to the high watermark',
    seed: 28,
    file: 'replication/partition.js',
    from: 'const to = Math.max(end, log.logStartOffset)',
    to: 'const to = this.highWatermark',
  },
  {
    mistake: 'the leader counts what it has not synced',
    seed: 1,
    file: 'replication/leadership.js',
    from: 'return this.#host.log.flushedOffset',
    to: 'return this.#host.log.logEndOffset',
  },
  {
    mistake: 'a follower fetches on before it has synced',
    seed: 1,
    file: 'replication/fetcher.js',
    from: 'whenFlushed(following.partition.log.logEndOffset',
    to: 'whenFlushed(0',
    and: { from: 'if (log.flushedOffset < fetchOffset)', to: 'if (false)' },
  },
  {
    mistake: 'a fetch counts whose last epoch was not compared',
    seed: 8,
    file: 'broker/fetch/fetch.js',
    from: /if \(lastFetchedEpoch >= 0\) \{/,
    to: 'if (false) {',
  },
  {
    mistake: 'too small an ISR commits',
    seed: 13,
    file: 'replication/in-sync.js',
    from: 'if (term.isr.length < term.minIsr)',
    to: 'if (false)',
  },
  {
    mistake: 'what was proposed holds before it is committed',
    seed: 24,
    file: 'replication/leadership.js',
    from: /this\.maximalIsr = \[\.\.\.this\.#role\.isr, [^\n]*/,
    to: 'this.maximalIsr = isr',
  },
  {
    mistake: 'an answer of who could not compare the logs yet counts as if it had',
    seed: 25,
    file: 'broker/fetch/fetch.js',
    from: /this\.#unready = true;/,
    to: 'this.#unready = true; result.highWatermark = partition.highWatermark;',
    options: {
      topology: 'chain',
      nodes: 4,
      faultyMs: 1200,
      mix: { kill: 1, power: 0, allPower: 0, elect: 1, rot: 0, cut: 1, slow: 0.3 },
    },
  },
  {
    mistake: 'reports go on through a chain after the log was cut',
    seed: 14,
    file: 'replication/partition.js',
    from: /if \(newTerm\)\s*this\.#relay = null/,
    to: '',
    options: { topology: 'chain', nodes: 4 },
  },
]

const dist = fileURLToPath(new URL('../..', import.meta.url))
const scratch = mkdtempSync(join(tmpdir(), 'ottla-mutants-'))
after(() => rmSync(scratch, { recursive: true }))

async function mutated({ file, from, to, and }: Mutant, index: number): Promise<typeof Run> {
  const root = join(scratch, String(index))
  const compiled = (source: string) => !/\.(d\.ts|map|test\.js)$/.test(source)
  for (const part of ['src', 'test/replication'])
    cpSync(join(dist, part), join(root, part), { recursive: true, filter: compiled })
  symlinkSync(join(process.cwd(), 'node_modules'), join(root, 'node_modules'))
  writeFileSync(join(root, 'package.json'), '{"type":"module"}')
  const path = join(root, 'src', file)
  const before = readFileSync(path, 'utf8')
  const changed = before.replace(from, to)
  assert.notEqual(changed, before, `${file} has changed: the mistake cannot be made any more`)
  if (and !== undefined)
    assert.ok(changed.includes(and.from), `${file} has changed: the mistake cannot be made any more`)
  writeFileSync(path, and === undefined ? changed : changed.replace(and.from, and.to))
  return ((await import(join(root, 'test/replication/run.js'))) as { Run: typeof Run }).Run
}

for (const [index, mutant] of mutants.entries()) {
  test(`found: ${mutant.mistake}`, async t => {
    const Mutated = await mutated(mutant, index)
    for (const seed of [mutant.seed, ...Array.from({ length: 150 }, (_, index) => index + 1)]) {
      const options = { faultyMs: 800, healingMs: 1000, ...mutant.options }
      try {
        await new Mutated(seed, options).run()
      } catch (error) {
        // Without the mistake all must be well.
        await new Run(seed, options).run()
        t.diagnostic(`seed ${seed}: ${(error as Error).message.split('\n')[0]}`)
        return
      }
    }
    assert.fail('not found')
  })
}
