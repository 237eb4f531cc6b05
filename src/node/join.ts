import { parseAddresses, showAddress } from '../client/address.ts'
import { Connection } from '../client/connection.ts'
import { ErrorCode, errorName, isRetriable, KafkaError } from '../protocol/errors.ts'
import { BrokerRegistration } from '../protocol/messages/broker-registration.ts'
import { DescribeCluster } from '../protocol/messages/describe-cluster.ts'
import type { ResponseOutput } from '../protocol/schema.ts'
import { nodeLogin } from '../security/node-login.ts'
import type { Volume } from '../store/store.ts'
import type { Address } from '../world/world.ts'
import type { Listeners } from './listeners.ts'
import type { NodeOptions } from './options.ts'
import { registrationOf } from './registration.ts'

interface Seeds extends NodeOptions {
  readonly token: string
  readonly seeds: readonly Address[]
}

interface Joiner extends Seeds {
  readonly listeners: Listeners
  readonly volume: Volume
  readonly directoryId: string
  readonly incarnationId: string
  /** What the user wants it to be. */
  readonly clusterId?: string | undefined
  readonly nodeId?: number | undefined
}

export interface Joined {
  readonly clusterId: string
  readonly nodeId: number
  readonly brokerEpoch: number
  readonly known: ReadonlyMap<number, readonly Address[]>
  /** The address of this machine at which the cluster reaches it. */
  readonly ownHost: string
}

type Cluster = ResponseOutput<typeof DescribeCluster>

/** ms for a connection and each question. */
const timeoutMs = 3000
/** ms before the next attempt: quickly at first, since nodes are often started together. */
const firstPauseMs = 50
const longestPauseMs = 1000
/** ms between words to whoever waits. */
const sayMs = 10_000
/** ms that a start with what it has waits for seeds that only could tell us that it is another cluster's. */
const checkMs = 1000

/** Throws when they are no addresses. */
export function seedAddresses(join: readonly string[]): readonly Address[] {
  try {
    return parseAddresses(join.join(','))
  } catch (error) {
    throw new Error(`--join: ${(error as Error).message}`)
  }
}

/**
 * Makes this node one of a cluster: finds it, takes a number that is free, registers. Waits for a member that can be reached,
 * and says so; rejects with a sentence when the cluster will not have us.
 */
export async function joinCluster(joiner: Joiner): Promise<Joined> {
  const { logger, world, seeds } = joiner
  const shown = seeds.map(showAddress).join(', ')
  let said = Number.NEGATIVE_INFINITY
  let takenSince = Number.POSITIVE_INFINITY
  const numbers: Numbers = { taken: new Set(), tried: -1 }
  for (let failures = 0; ; failures++) {
    try {
      return await attempt(joiner, numbers)
    } catch (error) {
      const now = world.clock.mono()
      if (!(error instanceof KafkaError)) throw inWords(error, joiner)
      const taken = isTaken(error)
      if (taken) takenSince = Math.min(takenSince, now)
      if (taken ? now - takenSince > formerLifeMs(joiner) : !mayPass(error)) throw inWords(error, joiner)
      if (now - said > sayMs && failures > 1) {
        said = now
        const what = taken
          ? 'waiting: a node with this number still counts as running'
          : `waiting for a node of the cluster at ${shown}; the first one is started without --join`
        logger.info(what, { reason: error.message })
      }
    }
    const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(failures, 10))
    await new Promise<void>(resolve => world.timers.after(pauseMs, resolve))
  }
}

/** Whether the seeds are of this cluster. Fulfilled when none of them can be reached now: what is on the disk is enough. */
export async function checkCluster(asked: Seeds & { readonly clusterId: string }): Promise<void> {
  const { world, clusterId } = asked
  const looked = withSeed(asked, async connection => (await describe(connection)).clusterId)
  const tooLate = new Promise<null>(resolve => world.timers.after(checkMs, () => resolve(null)))
  const found = await Promise.race([looked, tooLate]).catch(error => {
    if (error instanceof KafkaError && mayPass(error)) return null
    throw inWords(error, asked)
  })
  looked.catch(() => {})
  if (found !== null && found !== clusterId) throw foreign(clusterId, found)
}

async function attempt(joiner: Joiner, numbers: Numbers): Promise<Joined> {
  const { listeners, world } = joiner
  // The same list may be given to all nodes. We do not answer ourselves before we have joined.
  const seeds = joiner.seeds.filter(seed => !listeners.isOwn(seed, world.net.addresses()))
  return withSeed({ ...joiner, seeds }, async seed => {
    const cluster = await describe(seed)
    if (joiner.clusterId !== undefined && joiner.clusterId !== cluster.clusterId)
      throw new Error(`the nodes at --join are cluster ${cluster.clusterId}, not ${joiner.clusterId}`)
    const controller = cluster.brokers.find(broker => broker.brokerId === cluster.controllerId)
    if (controller === undefined) throw new KafkaError('NOT_CONTROLLER', 'the cluster has no controller now')
    const known = new Map(cluster.brokers.map(({ brokerId, host, port }) => [brokerId, [{ host, port }]]))
    const registration = registrationOf(
      joiner.config,
      joiner.listeners,
      cluster.clusterId,
      joiner.directoryId,
      () => seed.local.host,
      joiner.volume,
    )
    const nodeId = joiner.nodeId ?? chooseNumber(known, registration.listeners, numbers)
    numbers.tried = nodeId
    return withConnection(joiner, controller, async connection => {
      const { errorCode, brokerEpoch } = await connection.request(BrokerRegistration, {
        ...registration,
        brokerId: nodeId,
        incarnationId: joiner.incarnationId,
        choseNumber: joiner.nodeId === undefined,
      })
      if (errorCode === ErrorCode.NONE)
        return { clusterId: cluster.clusterId, nodeId, brokerEpoch, known, ownHost: seed.local.host }
      if (errorCode === ErrorCode.DUPLICATE_BROKER_REGISTRATION && joiner.nodeId === undefined) {
        // Somebody else was quicker.
        numbers.taken.add(nodeId)
        throw new KafkaError('NOT_CONTROLLER', `number ${nodeId} is taken`)
      }
      throw new KafkaError(errorName(errorCode), `registration as node ${nodeId}: ${errorName(errorCode)}`)
    })
  })
}

/** With brokers that are fenced, in versions that know them. */
function describe(connection: Connection): Promise<Cluster> {
  const includeFencedBrokers = connection.versionOf(DescribeCluster as never) >= 2
  return connection.request(DescribeCluster, { includeClusterAuthorizedOperations: false, includeFencedBrokers })
}

async function withSeed<T>(asked: Seeds, use: (connection: Connection) => Promise<T>): Promise<T> {
  return askInTurn(asked.seeds, seed => withConnection(asked, seed, use))
}

/**
 * The first answer, in the order in which the seeds were given: one that hangs, is not ready, or is a stranger must not keep us
 * from the others. Where none has one, the reason for which it makes most sense to end, else the last one.
 */
export async function askInTurn<T>(seeds: readonly Address[], ask: (seed: Address) => Promise<T>): Promise<T> {
  const failures: unknown[] = []
  for (const seed of seeds) {
    try {
      return await ask(seed)
    } catch (error) {
      failures.push(error)
    }
  }
  throw (
    failures.find(error => error instanceof KafkaError && isTaken(error)) ??
    failures.find(error => !(error instanceof KafkaError && mayPass(error))) ??
    failures.at(-1) ??
    new KafkaError('NETWORK_EXCEPTION', 'there is no other node to ask')
  )
}

async function withConnection<T>(
  { world, token }: Seeds,
  address: Address,
  use: (connection: Connection) => Promise<T>,
): Promise<T> {
  const connection = await Connection.open(world, address, {
    clientId: 'ottla-joining',
    requestTimeoutMs: timeoutMs,
    connectTimeoutMs: timeoutMs,
    maxResponseBytes: 16 * 1024 * 1024,
    maxInFlight: 10,
    dial: null,
    authenticate: nodeLogin(() => token, world.random),
  })
  try {
    return await use(connection)
  } finally {
    connection.close()
  }
}

/** What a node that looks for its number has learnt. */
export interface Numbers {
  /** Those that were refused. */
  readonly taken: Set<number>
  /** The last one that it asked for; −1: none. */
  tried: number
}

/**
 * The one that we have asked for already, if it was given to us and the answer got lost: nobody else would ever use it. Else
 * the smallest that is free, from 1 on.
 */
export function chooseNumber(
  known: ReadonlyMap<number, readonly Address[]>,
  own: readonly Address[],
  { taken, tried }: Numbers,
): number {
  const isOurs = ({ host, port }: Address) => own.some(each => each.host === host && each.port === port)
  if (!taken.has(tried) && known.get(tried)?.some(isOurs)) return tried
  for (let id = 1; ; id++) if (!known.has(id) && !taken.has(id)) return id
}

/**
 * ms for which whoever has our number may be a former life of this node, whose disk was lost: a controller that is new gives
 * it a session.
 */
function formerLifeMs({ config: { config } }: Joiner): number {
  return Math.min(config.get('initial.broker.registration.timeout.ms'), 2 * config.get('broker.session.timeout.ms'))
}

const isTaken = (error: KafkaError): boolean => error.errorName === 'DUPLICATE_BROKER_REGISTRATION'

const mayPass = (error: KafkaError): boolean =>
  isRetriable(error.code) && error.errorName !== 'UNKNOWN_TOPIC_OR_PARTITION'

const foreign = (ours: string, theirs: string): Error =>
  new Error(`the data directory belongs to cluster ${ours}; the nodes at --join are cluster ${theirs}`)

function inWords(error: unknown, { seeds }: Pick<Seeds, 'seeds'>): Error {
  const shown = seeds.map(showAddress).join(', ')
  if (!(error instanceof KafkaError)) return error instanceof Error ? error : new Error(String(error))
  switch (error.errorName) {
    case 'SASL_AUTHENTICATION_FAILED':
      return new Error(
        `${shown} does not accept the token: take the one in the file join-token of a node of that cluster`,
      )
    case 'UNSUPPORTED_SASL_MECHANISM':
      return new Error(`${shown} is no node of an ottla cluster`)
    case 'UNSUPPORTED_VERSION':
      return new Error(`${shown} is no node of an ottla cluster, or one of a version that is too old: ${error.message}`)
    case 'DUPLICATE_BROKER_REGISTRATION':
      return new Error('a node with this node.id is running already: choose another one, or leave it out')
    default:
      return new Error(`the cluster at ${shown} does not take this node: ${error.message}`)
  }
}
