// Runs the unit tests beside the code and the fast tests under test/. `npm test -- PATTERN` runs those whose path matches.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'

const pattern = new RegExp(process.argv[2] ?? '.')

function* testsIn(dir) {
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    const path = join(dir, entry.name)
    if (entry.isDirectory()) yield* testsIn(path)
    else if (entry.name.endsWith('.test.js')) yield path
  }
}

const files = [...testsIn('dist')].filter(path => pattern.test(path))
// Many wait more than they work. Node before 20.10 runs one file less than there are cores.
const [major, minor] = process.versions.node.split('.').map(Number)
const atOnce = major > 20 || minor >= 10 ? [`--test-concurrency=${2 * availableParallelism()}`] : []
const words = ['--test', '--test-reporter=spec', ...atOnce, ...files]
const run = spawnSync(process.execPath, words, { stdio: 'inherit' })
process.exit(run.status ?? 1)
