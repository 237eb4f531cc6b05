import { newUuid } from '../protocol/uuid.ts'
import type { Volume } from '../store/store.ts'
import type { Random } from '../world/world.ts'

/** The file at the root of a data directory that says whose it is, as Kafka keeps it. */
export const metaPropertiesName = 'meta.properties'

export interface MetaProperties {
  readonly clusterId: string
  readonly nodeId: number
  /** Of this very directory: a node that comes back with an empty one is somebody else (KIP-853). */
  readonly directoryId: string
}

export interface ExpectedProperties {
  /** Undefined: whatever the directory says; for a new one, a new id and node 1. */
  readonly clusterId?: string | undefined
  readonly nodeId?: number | undefined
  /** Of a new directory, when somebody has been told it already. */
  readonly directoryId?: string
}

const defaultNodeId = 1

/** Reads whose directory this is, or makes it ours when it is nobody's. Rejects, with one sentence, when it is another's. */
export async function openMetaProperties(
  volume: Pick<Volume, 'get' | 'put'>,
  random: Random,
  expected: ExpectedProperties = {},
): Promise<MetaProperties> {
  const file = volume.get(metaPropertiesName)
  const properties = file === null ? new Map<string, string>() : parseProperties(new TextDecoder().decode(file))
  if (file !== null) check(properties, expected)
  const meta = {
    clusterId: properties.get('cluster.id') ?? expected.clusterId ?? newUuid(random),
    nodeId: Number(properties.get('node.id') ?? expected.nodeId ?? defaultNodeId),
    directoryId: properties.get('directory.id') ?? expected.directoryId ?? newUuid(random),
  }
  // Directories of Kafka 3.6 and before have no id yet.
  if (!properties.has('directory.id')) await volume.put(metaPropertiesName, new TextEncoder().encode(print(meta)))
  return meta
}

function check(properties: ReadonlyMap<string, string>, expected: ExpectedProperties): void {
  const version = properties.get('version')
  const clusterId = properties.get('cluster.id')
  const nodeId = properties.get('node.id')
  const refuse = (why: string) => new Error(`the data directory cannot be used: its ${metaPropertiesName} ${why}`)
  if (version === '0') throw refuse('is that of a Kafka with ZooKeeper; move it to KRaft with Kafka 3.9 first')
  if (version !== '1') throw refuse(`has version ${version ?? 'none'}, which is newer than this program or damaged`)
  if (clusterId === undefined || nodeId === undefined || !/^\d{1,10}$/.test(nodeId)) {
    throw refuse('does not name a cluster and a node')
  }
  if (expected.clusterId !== undefined && expected.clusterId !== clusterId) {
    throw refuse(`belongs to cluster ${clusterId}, not to ${expected.clusterId}`)
  }
  if (expected.nodeId !== undefined && expected.nodeId !== Number(nodeId)) {
    throw refuse(`belongs to node ${nodeId}, not to node ${expected.nodeId}`)
  }
}

/** Java's properties, as far as this file uses them: comments, and a key and a value with `=` or `:` between. */
function parseProperties(text: string): Map<string, string> {
  const properties = new Map<string, string>()
  for (const line of text.split(/\r?\n/)) {
    const match = /^\s*([^#!\s=:][^\s=:]*)\s*[=:]\s*(.*?)\s*$/.exec(line)
    if (match !== null) properties.set(match[1]!, match[2]!)
  }
  return properties
}

function print({ clusterId, nodeId, directoryId }: MetaProperties): string {
  return `#\nversion=1\ncluster.id=${clusterId}\nnode.id=${nodeId}\ndirectory.id=${directoryId}\n`
}
