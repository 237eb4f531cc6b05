import { type MetaProperties, metaPropertiesName, openMetaProperties } from '../cluster/meta-properties.ts'
import { newUuid } from '../protocol/uuid.ts'
import { keepJoinToken, newJoinToken, readJoinToken, tokenProblem } from '../security/join-token.ts'
import type { Volume } from '../store/store.ts'
import type { Address } from '../world/world.ts'
import type { Listeners } from './listeners.ts'
import type { NodeOptions } from './options.ts'

/** In the directory of a node that joined: it never begins a cluster of its own, whatever a crash has left of it. */
export const joinedName = 'joined'

/** Who this node is, and of which cluster. */
export interface Membership {
  readonly meta: MetaProperties
  readonly token: string
  /** Of this life of the node. */
  readonly incarnationId: string
  /** Wall clock, ms: before anybody was told of it. */
  readonly begun: number
  /** Epoch of a registration that was made while joining; −1: it has to register itself. */
  readonly brokerEpoch: number
  /** Other nodes, as far as somebody told us: until the metadata is here. */
  readonly known: ReadonlyMap<number, readonly Address[]>
  /** At which others reach this machine, where that was seen; null: it was not. */
  readonly ownHost: string | null
  /** What the user gave as members of the cluster. */
  readonly seeds: readonly Address[]
}

/**
 * A directory says who we are. A new one is made that of a new cluster, or with `join` that of a new node of another one.
 * Rejects with a sentence when it belongs to another cluster or node, or the cluster will not have us.
 */
export async function findMembership(options: NodeOptions, volume: Volume, listeners: Listeners): Promise<Membership> {
  const { world, config: resolved } = options
  const { config } = resolved
  const life = { incarnationId: newUuid(world.random), begun: world.clock.now() }
  const expected = {
    clusterId: config.get('cluster.id') ?? undefined,
    nodeId: config.given('node.id') === null ? undefined : config.get('node.id'),
  }
  const given = config.get('token')
  const problem = given === null ? null : tokenProblem(given)
  if (problem !== null) throw new Error(problem)
  const isNew = volume.get(metaPropertiesName) === null
  const joining = config.get('join').length > 0
  const kept = readJoinToken(volume)
  const token = given ?? kept ?? (joining && isNew ? null : newJoinToken(world.random))
  if (token === null)
    throw new Error(
      'to join a cluster takes its token (--token or OTTLA_TOKEN): it is in the file join-token of its nodes',
    )
  const keep = async () => {
    if (token !== kept) await keepJoinToken(volume, token)
  }
  if (!joining) {
    // Killed before it knew who it is: a cluster that it made up now would be in the way of the one that it shall join.
    if (isNew && volume.get(joinedName) !== null)
      throw new Error('this node was joining a cluster and is no part of it yet: start it with --join again')
    if (isNew && config.get('orderer') !== 'raft') {
      const { claimClusterId } = await import('./redis-orderer.ts')
      expected.clusterId = await claimClusterId(options, expected.clusterId)
    }
    const [meta] = await Promise.all([openMetaProperties(volume, world.random, expected), keep()])
    return { meta, token, ...life, brokerEpoch: -1, known: new Map(), ownHost: null, seeds: [] }
  }
  const { joinCluster, checkCluster, seedAddresses } = await import('./join.ts')
  const seeds = seedAddresses(config.get('join'))
  if (!isNew) {
    const meta = await openMetaProperties(volume, world.random, expected)
    await checkCluster({ ...options, token, seeds, clusterId: meta.clusterId })
    await keep()
    return { meta, token, ...life, brokerEpoch: -1, known: new Map(), ownHost: null, seeds }
  }
  const directoryId = newUuid(world.random)
  const joined = await joinCluster({
    ...options,
    volume,
    listeners,
    token,
    seeds,
    directoryId,
    ...life,
    ...expected,
  })
  const { clusterId, nodeId, ...found } = joined
  await Promise.all([keep(), volume.put(joinedName, new Uint8Array())])
  const meta = await openMetaProperties(volume, world.random, { clusterId, nodeId, directoryId })
  return { meta, token, ...life, ...found, seeds }
}
