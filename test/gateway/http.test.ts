import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask, start } from './kit.ts'

const broker = await start()
const { url } = broker

test('the port of Kafka clients answers HTTP, too', async () => {
  const { status, json, headers } = await ask(`${url}/health`)
  assert.equal(status, 200)
  assert.equal(json.status, 'healthy')
  assert.equal(json.isLeader, true)
  assert.equal(json.leader, json.broker)
  assert.equal(headers.get('x-content-type-options'), 'nosniff')
  assert.equal(headers.get('access-control-allow-origin'), null)
})

test('health says whether the process runs, and whether clients should come', async () => {
  assert.equal((await ask(`${url}/health/live`)).status, 200)
  assert.equal((await ask(`${url}/health/ready`)).status, 200)
})

test('the leader is told as brokers that elect one tell it', async () => {
  const { status, json } = await ask(`${url}/metadata/leader`)
  assert.equal(status, 200)
  assert.deepEqual(json, {
    leader: `broker-${json.nodeId}`,
    nodeId: json.nodeId,
    host: '127.0.0.1',
    port: broker.port,
    url,
  })
})

test('a topic from its making to its end', async () => {
  const made = await ask(`${url}/topics`, {
    body: { name: 'orders', partitions: 3, configs: { 'retention.ms': 60_000, 'cleanup.policy': 'delete' } },
  })
  assert.equal(made.status, 201, made.text)
  assert.equal(made.headers.get('location'), '/topics/orders')
  assert.equal(made.json.partitions.length, 3)
  const [first] = made.json.partitions
  assert.deepEqual(
    { ...first, leader: 0, replicas: [], isr: [] },
    { partition: 0, leader: 0, leaderEpoch: first.leaderEpoch, replicas: [], isr: [], start: 0, end: 0 },
  )
  assert.deepEqual((await ask(`${url}/topics/orders`)).json, made.json)
  const { json: all } = await ask(`${url}/topics`)
  assert.deepEqual(all.topics, [
    { name: 'orders', topicId: made.json.topicId, internal: false, partitions: 3, replicationFactor: 1 },
  ])

  const grown = await ask(`${url}/topics/orders`, { method: 'PATCH', body: { partitions: 5 } })
  assert.equal(grown.json.partitions.length, 5)
  const fewer = await ask(`${url}/topics/orders`, { method: 'PATCH', body: { partitions: 2 } })
  assert.equal(fewer.status, 400)
  assert.equal(fewer.json.error, 'INVALID_PARTITIONS')

  assert.equal((await ask(`${url}/topics/orders`, { method: 'DELETE' })).status, 204)
  const gone = await ask(`${url}/topics/orders`)
  assert.equal(gone.status, 404)
  assert.equal(gone.headers.get('content-type'), 'application/problem+json')
  assert.equal(gone.json.error, 'UNKNOWN_TOPIC_OR_PARTITION')
  assert.equal(gone.json.status, 404)
})

test('making a topic can be tried out, and says what is wrong', async () => {
  const tried = await ask(`${url}/topics?validateOnly=true`, { body: { name: 'tried' } })
  assert.equal(tried.status, 200, tried.text)
  assert.equal((await ask(`${url}/topics/tried`)).status, 404)
  for (const [body, status, expected] of [
    [{}, 400, /name is missing/],
    [{ name: 'a b' }, 400, /name must match/],
    [{ name: '..' }, 400, /./],
    [{ name: 'x', partitions: 0 }, 400, /partitions must be at least 1/],
    [{ name: 'x', replicationFactor: 2 }, 400, /./],
    [{ name: 'x', configs: { 'no.such.thing': 1 } }, 400, /no\.such\.thing/],
    [{ name: 'x', partitions: 1, assignments: [[0]] }, 400, /leave the numbers out/],
    [{ name: 'x', partition: 1 }, 400, /partition is not known here/],
  ] as const) {
    const { status: got, json } = await ask(`${url}/topics`, { body })
    assert.equal(got, status, JSON.stringify(json))
    assert.match(json.detail, expected)
  }
  await ask(`${url}/topics`, { body: { name: 'twice' } })
  const again = await ask(`${url}/topics`, { body: { name: 'twice' } })
  assert.equal(again.status, 409)
  assert.equal(again.json.error, 'TOPIC_ALREADY_EXISTS')
})

test('settings of topics, nodes and the cluster are shown and changed', async () => {
  await ask(`${url}/topics`, { body: { name: 'set' } })
  const { json: leader } = await ask(`${url}/metadata/leader`)
  for (const [path, name, value] of [
    ['/topics/set/configs', 'retention.ms', '1234'],
    [`/nodes/${leader.nodeId}/configs`, 'replication.move.rate', '1000000'],
    ['/cluster/configs', 'http.request.max.bytes', '1000000'],
  ] as const) {
    const entry = async () =>
      (await ask(url + path)).json.configs.find((each: { name: string }) => each.name === name) as
        | { value: string }
        | undefined
    const before = await entry()
    const tried = await ask(`${url}${path}?validateOnly=true`, { method: 'PATCH', body: { [name]: value } })
    assert.equal(tried.status, 200, tried.text)
    assert.deepEqual(await entry(), before)
    const changed = await ask(url + path, { method: 'PATCH', body: { [name]: Number(value) } })
    assert.equal(changed.status, 200, changed.text)
    assert.equal((await entry())?.value, value)
    assert.equal((await ask(url + path, { method: 'PATCH', body: { [name]: null } })).status, 200)
    assert.deepEqual(await entry(), before)
  }
  const wrong = await ask(`${url}/topics/set/configs`, { method: 'PATCH', body: { 'retention.ms': 'soon' } })
  assert.equal(wrong.status, 400)
  assert.equal(wrong.json.error, 'INVALID_CONFIG')
  assert.equal((await ask(`${url}/topics/none/configs`)).status, 404)
  assert.equal((await ask(`${url}/nodes/x/configs`)).status, 400)
  assert.equal((await ask(`${url}/nodes/77/configs`)).status, 404)
})

test('the cluster and its nodes', async () => {
  const { json: cluster } = await ask(`${url}/cluster`)
  assert.deepEqual(cluster.nodes, [cluster.controller])
  assert.deepEqual(cluster.serving, cluster.nodes)
  assert.deepEqual([cluster.leaderless, cluster.underReplicated], [0, 0])
  const { json } = await ask(`${url}/nodes`)
  assert.equal(json.nodes.length, 1)
  assert.equal(json.nodes[0].state, 'serving')
  assert.equal(json.nodes[0].quorum, 'controller')
  assert.deepEqual(json.moves, [])
})

test('what is not there, and what cannot be done', async () => {
  const missing = await ask(`${url}/no/such/thing`)
  assert.equal(missing.status, 404)
  assert.equal(missing.json.type, 'urn:ottla:problem:not-found')
  const wrong = await ask(`${url}/health`, { method: 'DELETE' })
  assert.equal(wrong.status, 405)
  assert.equal(wrong.headers.get('allow'), 'GET, HEAD, OPTIONS')
  const options = await ask(`${url}/topics`, { method: 'OPTIONS' })
  assert.equal(options.status, 204)
  assert.equal(options.headers.get('allow'), 'GET, POST, HEAD, OPTIONS')
  const head = await ask(`${url}/health`, { method: 'HEAD' })
  assert.equal(head.status, 200)
  assert.equal(head.text, '')
  assert.equal((await ask(`${url}/topics?internl=true`)).status, 400)
})

test('bodies: only JSON that says so, only as large as allowed', async () => {
  const send = (body: string, type?: string) =>
    ask(`${url}/topics`, { body, headers: type === undefined ? {} : { 'content-type': type } })
  for (const type of [undefined, 'text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'])
    assert.equal((await send('{"name":"sneaky"}', type)).status, 415, type)
  assert.equal((await send('{"name":', 'application/json')).status, 400)
  assert.equal((await send('', 'application/json')).status, 400)
  assert.equal((await send('[1]', 'application/json')).status, 400)
  const bytes = await ask(`${url}/topics`, {
    body: Buffer.from([0x22, 0xff, 0x22]),
    headers: { 'content-type': 'application/json' },
  })
  assert.equal(bytes.status, 400)
  const zipped = await ask(`${url}/topics`, {
    body: 'x',
    headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
  })
  assert.equal(zipped.status, 415)
  const large = await send(JSON.stringify({ name: 'x'.repeat(17_000_000) }), 'application/json')
  assert.equal(large.status, 413)
  assert.equal((await ask(`${url}/topics/sneaky`)).status, 404)
})

test('openapi.json describes what there is', async () => {
  const { status, json, headers } = await ask(`${url}/openapi.json`)
  assert.equal(status, 200)
  assert.equal(headers.get('content-type'), 'application/json')
  assert.equal(json.openapi, '3.1.0')
  const ids = new Set<string>()
  for (const [path, methods] of Object.entries<
    Record<string, { operationId: string; parameters?: { in: string; name: string }[] }>
  >(json.paths))
    for (const operation of Object.values(methods)) {
      assert.ok(!ids.has(operation.operationId), operation.operationId)
      ids.add(operation.operationId)
      // Every parameter of a path is described, and no other.
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort()
      const described = (operation.parameters ?? []).filter(each => each.in === 'path').map(each => each.name)
      assert.deepEqual(described.sort(), named, path)
    }
  assert.ok(ids.size > 15)
})
