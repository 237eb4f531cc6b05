// What README.md shows with curl works as it stands there, but for the port.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { hasCurl, start } from '../gateway/kit.ts'

const page = readFileSync('README.md', 'utf8')
const commands = [...page.matchAll(/^\$ (curl .*)$/gm)].map(([, command = '']) => command)

/** A stream does not end by itself. */
function run(command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile('sh', ['-c', `exec ${command}`], (error, output) => {
      if (error !== null && !child.killed) reject(error)
      else resolve(output)
    })
    child.stdout?.on('data', text => /^data: /m.test(text) && child.kill())
  })
}

test('the first page pushes a record, sees it, and takes it', async t => {
  if (!hasCurl()) return t.skip('curl is not here')
  const { port } = await start()
  const answers: string[] = []
  for (const command of commands) {
    const here = command.replace('localhost:9092', `127.0.0.1:${port}`)
    answers.push(await run(here.replace('curl ', 'curl --silent --fail-with-body ')))
  }
  const [pushed = '', streamed = '', pulled = ''] = answers
  assert.equal(JSON.parse(pushed).offset, 0)
  assert.match(streamed, /^data: .*"value":\{"id": 1\}/m)
  assert.deepEqual(JSON.parse(pulled).records[0].value, { id: 1 })
  assert.equal(answers.length, 3)
})
