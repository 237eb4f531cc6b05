// "Starting Multiple Brokers" of the seed with Flask and Redis, with its variables: word for word, but that `python broker.py` is
// `ottla` with Redis for its orderer, and that the ports are free ones. Nodes of a cluster need a token besides.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { scratch } from '../cli/processes.ts'
import { eventually, freePort } from '../cluster/kit.ts'
import { RedisServer, redisBinary } from '../cluster/redis-server.ts'
import { ask } from '../gateway/kit.ts'
import { type Run, run } from './kit.ts'

const documented = `
# Terminal 1 (Leader)
python broker.py

# Terminal 2 (Follower)
FLASK_RUN_PORT=5002 BROKER_ID=broker-2 python broker.py

# Terminal 3 (Another Follower)
FLASK_RUN_PORT=5003 BROKER_ID=broker-3 python broker.py
`
const message = { message: 'Your message here', topic: 'your-topic' }

const folder = scratch()
const running: Run[] = []
let redis: RedisServer | null = null
after(async () => {
  await Promise.all(running.map(each => each.end('SIGKILL')))
  await redis?.stop()
  folder.remove()
})

test('three brokers elect a leader, followers redirect to it, and when it is killed another one leads', async t => {
  if (redisBinary === null) return t.skip('there is no redis-server here')
  redis = await RedisServer.start()
  const [first, second, third] = [await freePort(), await freePort(), await freePort()] as const
  const env = {
    REDIS_HOST: 'localhost',
    REDIS_PORT: String(redis.port),
    LEASE_TIME_SECONDS: '2',
    RENEW_INTERVAL_SECONDS: '0.5',
    FLASK_RUN_PORT: String(first),
    OTTLA_TOKEN: 'a-token-for-tests-that-is-long-enough',
  }
  const lines = documented.split('\n').filter(line => line.endsWith('python broker.py'))
  for (const [i, line] of lines.entries()) {
    const broker = `exec node bin/ottla.js --orderer redis --data ${folder.path}/${i}`
    const here = line.replace('5002', String(second)).replace('5003', String(third))
    const each = run(here.replace('python broker.py', broker), env)
    running.push(each)
    await each.until(/"message":"ready"/)
  }
  const ports = [first, second, third]
  const leaderAt = async (port: number) => (await ask(`http://127.0.0.1:${port}/metadata/leader`)).json
  const produce = (port: number) =>
    fetch(`http://127.0.0.1:${port}/produce`, {
      method: 'POST',
      redirect: 'manual',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(message),
    })

  await eventually(async () => {
    for (const port of ports) assert.equal((await leaderAt(port)).leader, 'broker-1')
  })
  for (const [i, port] of ports.entries()) {
    const { json } = await ask(`http://127.0.0.1:${port}/health`)
    assert.deepEqual([json.status, json.broker, json.isLeader], ['healthy', `broker-${i + 1}`, i === 0])
    const answer = await produce(port)
    if (i === 0) assert.equal(answer.status, 200, await answer.text())
    else {
      assert.equal(answer.status, 307)
      assert.match(answer.headers.get('location') ?? '', new RegExp(`:${first}/produce$`))
    }
  }

  await running[0]!.end('SIGKILL')
  await eventually(async () => {
    const { leader, port } = await leaderAt(second)
    assert.match(leader, /^broker-[23]$/)
    const answer = await produce(port)
    assert.equal(answer.status, 200, await answer.text())
  }, 20_000)
  const records = await ask(`http://127.0.0.1:${third}/topics/your-topic/records`)
  assert.deepEqual(
    records.json.records.map(({ value }: { value: string }) => value),
    [message.message, message.message],
  )
})
