import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'
import { test } from 'node:test'

/** Reads our own source and says what breaks a rule of the house, and what to use instead. */

// Tests run in the project's folder.
const root = process.cwd()
const source = join(root, 'src')

/** From the ground up: a file imports from its own folder and from floors below. */
const floors = [
  ['world'],
  ['protocol'],
  ['config'],
  ['client'],
  ['store'],
  ['log'],
  ['machine'],
  ['replication'],
  ['discovery'],
  ['cluster'],
  ['groups', 'transactions', 'shares'],
  ['security'],
  ['broker'],
  ['gateway'],
  ['node'],
  ['index'],
  ['cli'],
]

interface Banned {
  readonly pattern: RegExp
  readonly instead: string
  /** Paths below src/ that may. */
  readonly allowed: RegExp
}

const adapters = /^world\/|\.test\.ts$|\/(contract|testing)\.ts$/

const banned: readonly Banned[] = [
  { pattern: /\bDate\.now\b|\bnew Date\(\)/, instead: 'world.clock.now()', allowed: adapters },
  { pattern: /\bperformance\.now\b|process\.hrtime/, instead: 'world.clock.mono()', allowed: adapters },
  { pattern: /\bset(Timeout|Interval|Immediate)\(/, instead: 'world.timers', allowed: adapters },
  { pattern: /\bMath\.random\b|\brandom(Bytes|UUID|Int|FillSync)\b/, instead: 'world.random', allowed: adapters },
  { pattern: /['"]node:(fs|fs\/promises)['"]/, instead: 'world.disk', allowed: adapters },
  { pattern: /['"]node:(net|dgram|dns|tls)['"]/, instead: 'world.net', allowed: adapters },
  {
    pattern: /\bprocess\.(env|argv|exit|on)\b/,
    instead: 'options that the command line passes in',
    allowed: /^cli\/|\.test\.ts$/,
  },
  { pattern: /\bconsole\.\w+\(/, instead: 'a Logger', allowed: /^cli\/|\.test\.ts$/ },
  {
    pattern: /AbortSignal\.timeout|WeakRef|FinalizationRegistry/,
    instead: 'something deterministic',
    allowed: adapters,
  },
]

function* files(dir: string): Iterable<string> {
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    const path = join(dir, entry.name)
    if (entry.isDirectory()) yield* files(path)
    else if (entry.name.endsWith('.ts')) yield relative(source, path).replaceAll('\\', '/')
  }
}

/** `node.ts` and `node/` are one room. */
const roomOf = (path: string): string => path.split('/')[0]!.replace(/(\.test)?\.ts$/, '')
const floorOf = (path: string): number => floors.findIndex(names => names.includes(roomOf(path)))

/** Code without comments, so that they may name what is banned. */
const codeOf = (path: string): string =>
  readFileSync(join(source, path), 'utf8')
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/(^|\s)\/\/.*$/gm, '')

const all = [...files(source)]

test('every file stands on a floor', () => {
  const homeless = all.filter(path => floorOf(path) === -1 && !/^tidy\.test\.ts$/.test(path))
  assert.deepEqual(homeless, [])
})

test('imports go downwards only', () => {
  const upwards: string[] = []
  for (const path of all) {
    if (path.endsWith('.test.ts')) continue
    for (const [, specifier = ''] of codeOf(path).matchAll(/(?:from|import)\s*\(?\s*['"](\.[^'"]+)['"]/g)) {
      const target = normalize(join(dirname(path), specifier)).replaceAll('\\', '/')
      const [from, to] = [floorOf(path), floorOf(target)]
      if (to > from) upwards.push(`${path} imports ${target}`)
      else if (to === from && roomOf(path) !== roomOf(target)) upwards.push(`${path} imports its neighbour ${target}`)
    }
  }
  assert.deepEqual(upwards, [])
})

test('clock, dice, disk and sockets come through World', () => {
  const broken: string[] = []
  for (const path of all) {
    const code = codeOf(path)
    for (const { pattern, instead, allowed } of banned) {
      const found = pattern.exec(code)
      if (found !== null && !allowed.test(path)) broken.push(`${path}: ${found[0]} (use ${instead})`)
    }
  }
  assert.deepEqual(broken, [])
})

test('no file needs a table of contents', () => {
  const long = all
    .map(path => ({ path, lines: readFileSync(join(source, path), 'utf8').split('\n').length }))
    .filter(({ path, lines }) => lines > 600 && !path.endsWith('.test.ts') && !path.startsWith('protocol/messages/'))
  assert.deepEqual(long, [])
})
