// Makes a fresh clone ready: installs what is missing, compiles what is stale. Runs before `npm start` and `npm test`.
// Plain JavaScript and Node only, because nothing is installed yet when it starts.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { build } from './build.js'

const [major] = process.versions.node.split('.').map(Number)
if (major < 20) {
  console.error(`ottla needs Node.js 20 or newer; this is ${process.versions.node}`)
  process.exit(1)
}

process.chdir(new URL('..', import.meta.url).pathname)

const installedFor = 'node_modules/.ottla-lock'
const lock = readFileSync('package-lock.json', 'utf8')
if (!existsSync(installedFor) || readFileSync(installedFor, 'utf8') !== lock) {
  console.error('installing dependencies …')
  const npm = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
  })
  if (npm.status !== 0) {
    console.error('npm ci failed; see above')
    process.exit(npm.status ?? 1)
  }
  writeFileSync(installedFor, lock)
}
await build()
