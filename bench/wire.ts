import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { Admin } from '../src/client/admin.ts'
import { Cluster } from '../src/client/cluster.ts'
import { buildBatch } from '../src/protocol/batches/build.ts'
import { ErrorCode, errorName } from '../src/protocol/errors.ts'
import { ListOffsets } from '../src/protocol/messages/list-offsets.ts'
import { Produce } from '../src/protocol/messages/produce.ts'
import { nodeWorld } from '../src/world/node.ts'
import { metadataRequest } from '../test/clients/answers.ts'

/** Opens that many connections, each of which has had one answer and then stays silent. */
export async function idleConnections(port: number, count: number): Promise<Socket[]> {
  const sockets: Socket[] = []
  // In handfuls: the listen backlog is finite.
  while (sockets.length < count) {
    const more = Array.from({ length: Math.min(50, count - sockets.length) }, () => idleConnection(port))
    sockets.push(...(await Promise.all(more)))
  }
  return sockets
}

function idleConnection(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    socket.on('connect', () => socket.write(metadataRequest))
    socket.once('data', () => resolve(socket))
    socket.once('error', reject)
  })
}

/** Calls `use` with a client of the broker and closes it. */
export async function withAdmin<T>(port: number, use: (admin: Admin, cluster: Cluster) => Promise<T>): Promise<T> {
  const cluster = new Cluster(nodeWorld, { bootstrap: [{ host: '127.0.0.1', port }], clientId: 'ottla-bench' })
  try {
    return await use(new Admin(cluster), cluster)
  } finally {
    cluster.close()
  }
}

/** Creates a topic and waits until each of its partitions can be asked for its end. */
export async function createTopic(
  port: number,
  name: string,
  partitions: number,
  configs: Readonly<Record<string, string>> = {},
): Promise<void> {
  await withAdmin(port, async (admin, cluster) => {
    await admin.createTopics([{ name, partitions, replicationFactor: 1, configs }])
    await untilServed(cluster, name, partitions)
  })
}

export async function deleteTopic(port: number, name: string): Promise<void> {
  await withAdmin(port, admin => admin.deleteTopics([name]))
}

/** Resolves when the leader of every partition tells its end offset: the log is open. Gives the sum of them. */
export async function untilServed(cluster: Cluster, topic: string, partitions: number): Promise<number> {
  const wanted = Array.from({ length: partitions }, (_, partitionIndex) => ({ partitionIndex, timestamp: -1 }))
  for (const limit = Date.now() + 120_000; Date.now() < limit; await sleep(5)) {
    const connection = await cluster.any().catch(() => null)
    if (connection === null) continue
    const answer = await connection
      .request(ListOffsets, { replicaId: -1, isolationLevel: 0, topics: [{ name: topic, partitions: wanted }] })
      .catch(() => null)
    const found = answer?.topics[0]?.partitions ?? []
    const open = found.filter(({ errorCode }) => errorCode === ErrorCode.NONE)
    if (open.length === partitions) return open.reduce((sum, { offset }) => sum + offset, 0)
  }
  throw new Error(`${topic}: not all of its ${partitions} partitions are served after 120 s`)
}

/** Records in a topic. */
export function endOffsets(port: number, topic: string, partitions: number): Promise<number> {
  return withAdmin(port, (_, cluster) => untilServed(cluster, topic, partitions))
}

/** One batch of one record of 100 bytes into each partition, acks=all. */
export async function fillPartitions(port: number, topic: string, partitions: number): Promise<void> {
  const batch = buildBatch({ records: [{ timestamp: Date.now(), value: new Uint8Array(100) }] })
  const partitionData = Array.from({ length: partitions }, (_, index) => ({ index, records: batch }))
  await withAdmin(port, async (_, cluster) => {
    const connection = await cluster.leader(topic, 0)
    const request = { acks: -1, timeoutMs: 60_000, topicData: [{ name: topic, partitionData }] }
    // Up to that version topics are told by name.
    const answer = await connection.request(Produce, request, { maxVersion: 12, timeoutMs: 60_000 })
    const failed = answer.responses.flatMap(each => each.partitionResponses).find(each => each.errorCode !== 0)
    if (failed !== undefined) throw new Error(`partition ${failed.index} answered ${errorName(failed.errorCode)}`)
  })
}
