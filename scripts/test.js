// Runs the unit tests beside the code and the fast tests under test/. `npm test -- PATTERN` runs those whose path matches.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
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
const run = spawnSync(process.execPath, ['--test', '--test-reporter=spec', ...files], { stdio: 'inherit' })
process.exit(run.status ?? 1)
