// What docs/records.md shows works as it stands there, but for the port.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { ask, hasCurl, start } from '../gateway/kit.ts'

const page = readFileSync('docs/records.md', 'utf8')
const commands = [...page.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, command = '']) => command)

test('every command of the page on records answers with what it says', async t => {
  if (!hasCurl()) return t.skip('curl is not here')
  const { url, port } = await start()
  await ask(`${url}/topics`, { body: { name: 'orders', partitions: 4 } })
  // The page reads the eighteenth record of a partition.
  const record = { partition: 3, key: 'customer-7', value: { total: 9.5 }, headers: { trace: 'abc' } }
  await ask(`${url}/topics/orders/records`, { body: { records: new Array(18).fill(record) } })
  const answers: Record<string, unknown>[] = []
  for (const command of commands) {
    const here = command
      .replaceAll('localhost:9092', `127.0.0.1:${port}`)
      .replaceAll('curl ', 'curl --silent --fail-with-body ')
    const { stdout } = await promisify(execFile)('sh', ['-c', here])
    answers.push(JSON.parse(stdout))
  }
  assert.equal(answers.length, 4)
  const [pushed = {}, once = {}, read = {}, produced = {}] = answers
  const [example = ''] = /\{"topic": "orders", "partition": 3, "offset": 17.*\}/.exec(page) ?? []
  assert.deepEqual(Object.keys(pushed), Object.keys(JSON.parse(example)))
  assert.equal(once.offset, 0)
  const [shown = ''] = /\{\n {2}"topic"[\s\S]*?\n\}/.exec(page) ?? []
  const wanted = JSON.parse(shown)
  const [got] = read.records as { timestamp: number }[]
  assert.deepEqual([{ ...got, timestamp: 0 }], [{ ...wanted.records[0], timestamp: 0 }])
  assert.deepEqual(Object.keys(read), Object.keys(wanted))
  assert.equal(produced.status, 'success')
})
