// The commands of the seed in Python ("Yet Another Kafka"), word for word, but that `python producer.py` is `ottla producer`.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { ottla, type RunningOttla, startOttla } from '../cli/processes.ts'
import { type Run, run } from './kit.ts'

let broker: RunningOttla
before(async () => {
  broker = await startOttla(['--port', '0', '--host', '127.0.0.1', '--memory'])
})
after(() => broker.stop())

const env = () => ({ OTTLA_BOOTSTRAP: broker.bootstrap })
const producer = (documented: string): Run =>
  run(documented.replace('python producer.py', 'exec node bin/ottla.js producer'), env())
const consumer = (documented: string): Run =>
  run(documented.replace('python consumer.py', 'exec node bin/ottla.js consumer'), env())

test('a producer that sends a message to a new topic, a consumer that reads it from the beginning', async () => {
  const sent = producer('python producer.py --topic my_topic --message "Hello, Kafka!"')
  assert.deepEqual([await sent.code, sent.output()], [0, ''])
  const read = consumer('python consumer.py --topic my_topic --from-beginning')
  assert.equal(await read.until(/\n/), 'Hello, Kafka!\n')
  assert.equal(await read.end(), 0)
})

test('as many producers and consumers as one likes; every consumer gets all past messages', async () => {
  const sent = ['one', 'two', 'three'].map(name => {
    const each = producer('python producer.py --topic many')
    each.input(`${name} 1\n${name} 2\n`)
    return each.code
  })
  assert.deepEqual(await Promise.all(sent), [0, 0, 0])
  for (const read of [1, 2].map(() => consumer('python consumer.py --topic many --from-beginning'))) {
    const lines = (await read.until(/(?:.+\n){6}/)).trimEnd().split('\n')
    assert.deepEqual(lines.sort(), ['one 1', 'one 2', 'three 1', 'three 2', 'two 1', 'two 2'])
    await read.end()
  }
})

test('topics are created and deleted dynamically', async () => {
  const topics = async (...args: string[]) => {
    const { code, stdout, stderr } = await ottla(['topics', ...args], { env: env() })
    assert.equal(code, 0, stderr)
    return stdout
  }
  await topics('create', 'for_a_while')
  assert.match(await topics('list'), /^for_a_while\b/m)
  await topics('delete', 'for_a_while')
  assert.doesNotMatch(await topics('list'), /for_a_while/)
})
