#!/usr/bin/env node
// What `npx ottla` runs. Everything else is in src/cli/.
import { existsSync } from 'node:fs'
import * as nodeModule from 'node:module'

const [major] = process.versions.node.split('.').map(Number)
if (major < 20) {
  console.error(`ottla needs Node.js 20 or newer; this is ${process.versions.node}`)
  process.exit(1)
}

// Syncs of several partitions must not queue behind each other; read once, at the first use of the pool.
if (!(Number(process.env.UV_THREADPOOL_SIZE) >= 8)) process.env.UV_THREADPOOL_SIZE = '8'

// Node 22 and later keep compiled code between starts.
nodeModule.enableCompileCache?.()

const main = new URL('../dist/lib/main.js', import.meta.url)
if (!existsSync(main)) {
  console.error('ottla is not built yet: npm run build')
  process.exit(1)
}
const { run } = await import(main.href)
// Timers of the broker and its clients hold no process open; a command that waits must.
const hold = setInterval(() => {}, 2 ** 30)
await run(process.argv.slice(2))
clearInterval(hold)
