import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { type CommandScenario, lines, type Place, withFile } from './command.ts'
import { tool } from './tools.ts'

// Kafka's own tools for clusters of several nodes. They move replicas and stop a node: nobody else should be measuring.

const topicsTool = (place: Place, ...args: string[]) => tool(place, 'kafka-topics', args)

/** `leader`, `replicas` and `isr` of each partition as kafka-topics shows them. */
async function described(place: Place, topic: string): Promise<{ leader: number; replicas: string; isr: string }[]> {
  const out = await topicsTool(place, '--describe', '--topic', topic)
  return [...out.matchAll(/Partition: \d+\s+Leader: (\d+|none)\s+Replicas: ([\d,]*)\s+Isr: ([\d,]*)/g)].map(
    ([, leader, replicas, isr]) => ({ leader: Number(leader), replicas: replicas!, isr: isr! }),
  )
}

async function until(what: string, ms: number, holds: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + ms; !(await holds()); await sleep(300)) {
    if (Date.now() > end) throw new Error(`waited ${ms} ms for ${what}`)
  }
}

const quorum: CommandScenario = async place => {
  const ask = (...args: string[]) => tool(place, 'kafka-metadata-quorum', args)
  const status = await ask('describe', '--status')
  assert.match(status, /^ClusterId: +[\w-]{22}$/m)
  assert.match(status, /^LeaderId: +[123]$/m)
  assert.match(status, /^LeaderEpoch: +\d+$/m)
  assert.match(status, /^HighWatermark: +\d+$/m)
  const voters = /^CurrentVoters: +(.*)$/m.exec(status)?.[1] ?? ''
  assert.deepEqual([...voters.matchAll(/"id": (\d+)/g)].map(([, id]) => id).sort(), ['1', '2', '3'])
  const rows = lines(await ask('describe', '--replication')).map(line => line.trim().split(/\s+/))
  assert.deepEqual(rows[0]!.slice(0, 4), ['NodeId', 'DirectoryId', 'LogEndOffset', 'Lag'])
  assert.deepEqual(rows.slice(1).map(row => row.at(-1)!).filter(role => role === 'Leader' || role === 'Follower').sort(), ['Follower', 'Follower', 'Leader']) // biome-ignore format: one line reads better
  await until('followers that have caught up', 10_000, async () =>
    lines(await ask('describe', '--replication'))
      .slice(1)
      .every(line => Number(line.split(/\s+/)[3]) <= 5),
  )
  return undefined
}

/** Who leads the quorum, and who else votes, each with its directory. */
async function quorumOf(place: Place): Promise<{ leader: string; voters: [id: string, directory: string][] }> {
  const status = await tool(place, 'kafka-metadata-quorum', ['describe', '--status'])
  const text = /^CurrentVoters: +(.*)$/m.exec(status)?.[1] ?? ''
  return {
    leader: /^LeaderId: +(\d+)$/m.exec(status)?.[1] ?? '',
    voters: [...text.matchAll(/"id": (\d+), "directoryId": "?([\w-]{22})/g)].map(([, id, directory]) => [
      id!,
      directory!,
    ]),
  }
}

const keyOf = ([id, directory]: readonly [string, string]) => ['--controller-id', id, '--controller-directory-id', directory] // biome-ignore format: one line

/** One voter is removed and added again. */
const voters: CommandScenario = async place => {
  const ask = (...args: string[]) => tool(place, 'kafka-metadata-quorum', args)
  const ids = async () => (await quorumOf(place)).voters
  const { leader, voters: before } = await quorumOf(place)
  assert.equal(before.length, 3)
  const voter = before.find(([each]) => each !== leader)!
  const [id] = voter
  const key = keyOf(voter)
  const removed = await ask('remove-controller', ...key)
  assert.match(removed, /Removed +KRaft controller/)
  await until('two voters', 20_000, async () => (await ids()).length === 2)
  const again = await tool(place, 'kafka-metadata-quorum', ['remove-controller', ...key], { fails: true })
  assert.match(again, /VoterNotFound|not.*voter/i)
  const folder = place.cluster?.folderOf?.(Number(id))
  if (folder === undefined) return 'removed; added again only where the data directory is known'
  const { port } = place.cluster!.all.find(({ node }) => node === Number(id))!
  const settings = [
    'process.roles=controller',
    `node.id=${id}`,
    `log.dirs=${folder}`,
    'controller.listener.names=CONTROLLER',
    `listeners=CONTROLLER://127.0.0.1:${port}`,
    `controller.quorum.bootstrap.servers=${place.bootstrap}`,
  ]
  // The tool takes its settings before the verb.
  const added = await withFile(settings.join('\n'), path => ask('--command-config', path, 'add-controller'))
  assert.match(added, /Added +(KRaft )?controller/)
  await until('three voters', 20_000, async () => (await ids()).length === 3)
  return undefined
}

/** A voter is down: without another one nobody could decide anything, so that one is not let go. */
const majority: CommandScenario = async place => {
  if (place.cluster === undefined) return { skipped: 'the nodes are not ours to stop' }
  if (place.cluster.kind === 'kafka') return { skipped: 'Apache Kafka does not refuse it' }
  const { leader, voters: before } = await quorumOf(place)
  const [down, other] = before.filter(([id]) => id !== leader) as [[string, string], [string, string]]
  const member = place.cluster.all.find(({ node }) => node === Number(down[0]))!
  await member.stop()
  try {
    // Longer than a voter may be silent.
    await sleep(5000)
    const said = await tool(place, 'kafka-metadata-quorum', ['remove-controller', ...keyOf(other)], { fails: true })
    assert.match(said, new RegExp(`Without node ${other[0]} the cluster would have no majority: .* ${down[0]} cannot be reached`)) // biome-ignore format: one line
  } finally {
    await member.start()
  }
  assert.deepEqual((await quorumOf(place)).voters.sort(), before.sort())
  return undefined
}

const reassign: CommandScenario = async place => {
  const topic = place.name('reassign')
  await topicsTool(place, '--create', '--topic', topic, '--replica-assignment', '1:2,2:3,3:1')
  const count = 2000
  const input = Array.from({ length: count }, (_, i) => `line ${i}`).join('\n')
  await tool(place, 'kafka-console-producer', ['--topic', topic], { input })
  const ask = (...args: string[]) => tool(place, 'kafka-reassign-partitions', args)
  const plan = await withFile(JSON.stringify({ version: 1, topics: [{ topic }] }), path =>
    ask('--topics-to-move-json-file', path, '--broker-list', '1,2,3', '--generate'),
  )
  assert.match(plan, /Current partition replica assignment/)
  assert.match(plan, /Proposed partition reassignment configuration/)
  const wanted = [[3, 2, 1], [1, 2], [2, 3]] // biome-ignore format: a table
  const partitions = wanted.map((replicas, partition) => ({ topic, partition, replicas }))
  await withFile(JSON.stringify({ version: 1, partitions }), async path => {
    const started = await ask('--reassignment-json-file', path, '--execute', '--throttle', '50000000')
    assert.match(started, /Successfully started partition reassignments/)
    await until('the reassignment', 60_000, async () => {
      const said = await ask('--reassignment-json-file', path, '--verify')
      return [0, 1, 2].every(p => said.includes(`Reassignment of partition ${topic}-${p} is completed.`))
    })
  })
  assert.match(await ask('--list'), /No partition reassignments found/)
  const now = await described(place, topic)
  assert.deepEqual(now.map(({ replicas }) => replicas), wanted.map(ids => ids.join())) // biome-ignore format: one line
  for (const { leader, replicas, isr } of now) {
    assert.ok(replicas.split(',').includes(String(leader)), `${leader} leads, of ${replicas}`)
    assert.equal(isr.split(',').sort().join(), replicas.split(',').sort().join())
  }
  const configs = await tool(place, 'kafka-configs', ['--describe', '--entity-type', 'topics', '--entity-name', topic])
  assert.doesNotMatch(configs, /throttled\.replicas/, 'the throttle is gone when it was verified')
  const read = ['--topic', topic, '--from-beginning', '--max-messages', String(count), '--timeout-ms', '30000']
  const rows = lines(await tool(place, 'kafka-console-consumer', read))
  assert.equal(new Set(rows).size, count)
  return undefined
}

const election: CommandScenario = async place => {
  const topic = place.name('election')
  await topicsTool(place, '--create', '--topic', topic, '--replica-assignment', '1:2:3,2:3:1')
  // Another preferred leader, the same replicas: who leads does not change by itself at once.
  const partitions = [{ topic, partition: 0, replicas: [2, 1, 3] }]
  await withFile(JSON.stringify({ version: 1, partitions }), path =>
    tool(place, 'kafka-reassign-partitions', ['--reassignment-json-file', path, '--execute']),
  )
  await until('the order of replicas', 30_000, async () => (await described(place, topic))[0]?.replicas === '2,1,3')
  const one = ['--election-type', 'preferred', '--topic', topic, '--partition', '0']
  const said = await tool(place, 'kafka-leader-election', one)
  assert.match(said, /Successfully completed leader election \(PREFERRED\)|Valid replica already elected/)
  assert.equal((await described(place, topic))[0]?.leader, 2)
  assert.match(await tool(place, 'kafka-leader-election', one), /Valid replica already elected for partitions/)
  await tool(place, 'kafka-leader-election', ['--election-type', 'preferred', '--all-topic-partitions'])
  const unclean = ['--election-type', 'unclean', '--topic', topic, '--partition', '0']
  assert.match(await tool(place, 'kafka-leader-election', unclean), /Valid replica already elected for partitions/)
  const missing = ['--election-type', 'preferred', '--topic', `${topic}-none`, '--partition', '0']
  assert.match(await tool(place, 'kafka-leader-election', missing, { fails: true }), /does not exist|UnknownTopic/)
  return undefined
}

/** A node stops and comes back: what is short of replicas is shown, and only while it is. */
const underReplicated: CommandScenario = async place => {
  if (place.cluster === undefined) return { skipped: 'the nodes are not ours to stop' }
  const topic = place.name('under')
  await topicsTool(place, '--create', '--topic', topic, '--replica-assignment', '1:2:3', '--config', 'min.insync.replicas=2') // biome-ignore format: one line
  const shown = async (what: string) => lines(await topicsTool(place, '--describe', '--topic', topic, what)).length
  assert.equal(await shown('--under-replicated-partitions'), 0)
  const member = place.cluster.all[2]!
  await member.stop()
  try {
    await until(
      'an under-replicated partition',
      20_000,
      async () => (await shown('--under-replicated-partitions')) === 1,
    )
    assert.equal(await shown('--at-min-isr-partitions'), 1)
    assert.equal(await shown('--under-min-isr-partitions'), 0)
    assert.equal(await shown('--unavailable-partitions'), 0)
  } finally {
    await member.start()
  }
  await until('a full ISR', 30_000, async () => (await shown('--under-replicated-partitions')) === 0)
  return undefined
}

const features: CommandScenario = async place => {
  const ask = (...args: string[]) => tool(place, 'kafka-features', args)
  const out = await ask('describe')
  const row =
    /^Feature: (\S+)\s+SupportedMinVersion: \S+\s+SupportedMaxVersion: (\S+)\s+FinalizedVersionLevel: (\S+)\s+Epoch: \d+/
  const rows = lines(out).map(line => row.exec(line))
  assert.ok(rows.every(each => each !== null), out) // biome-ignore format: one line
  const level = rows.find(each => each![1] === 'metadata.version')?.[3]
  assert.ok(level, out)
  const bad = await tool(place, 'kafka-features', ['upgrade', '--feature', 'metadata.version=999'], { fails: true })
  assert.match(bad, /Could not upgrade metadata\.version|999/)
  return undefined
}

const cluster: CommandScenario = async place => {
  const ask = (...args: string[]) => tool(place, 'kafka-cluster', args, { verb: true })
  assert.match(await ask('cluster-id'), /Cluster ID: [\w-]{22}/)
  const endpoints = lines(await ask('list-endpoints'))
  assert.deepEqual(endpoints.slice(1).map(line => line.split(/\s+/)[0]).sort(), ['1', '2', '3']) // biome-ignore format: one line
  const unknown = await tool(place, 'kafka-cluster', ['unregister', '--id', '99'], { verb: true, fails: true })
  assert.match(unknown, /BrokerIdNotRegistered|not registered|not found|99/)
  const versions = await tool(place, 'kafka-broker-api-versions', [])
  assert.deepEqual([...versions.matchAll(/\(id: (\d+) rack/g)].map(([, id]) => id).sort(), ['1', '2', '3'])
  const logs = lines(await tool(place, 'kafka-log-dirs', ['--describe'])).at(-1)!
  assert.deepEqual((JSON.parse(logs) as { brokers: { broker: number }[] }).brokers.map(b => b.broker).sort(), [1, 2, 3])
  return undefined
}

export const clusterToolScenarios: Record<string, CommandScenario> = {
  'cluster-quorum': quorum,
  'cluster-ids': cluster,
  'cluster-features': features,
  'cluster-reassign': reassign,
  'cluster-election': election,
  'cluster-under': underReplicated,
  'cluster-voters': voters,
  'cluster-majority': majority,
}
