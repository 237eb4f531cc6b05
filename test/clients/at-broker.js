// Runs a command beside a broker of this checkout, whose address it finds in TEST_BROKER: at-broker.js COMMAND [WORD...]
import { spawn } from 'node:child_process'
import { startBroker } from 'ottla'

const broker = await startBroker()
const [command, ...words] = process.argv.slice(2)
const env = { ...process.env, TEST_BROKER: `http://${broker.bootstrap}` }
const child = spawn(command, words, { stdio: 'inherit', env })
child.on('error', error => {
  console.error(`${command}: ${error.message}`)
  process.exit(1)
})
child.on('exit', async code => {
  await broker.stop()
  process.exit(code ?? 1)
})
