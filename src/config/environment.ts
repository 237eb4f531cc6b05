import { type BrokerSetting, brokerSettings, isBrokerSetting, withoutListener } from './broker-configs.ts'
import { didYouMean } from './nearest.ts'

export interface EnvironmentSetting {
  readonly name: string
  readonly value: string
  readonly variable: string
}

export interface EnvironmentReading {
  readonly settings: readonly EnvironmentSetting[]
  /** Variables that look like settings but are none: said, not punished (a stray KAFKA_URL must not stop a broker). */
  readonly warnings: readonly string[]
  /** Unknown OTTLA_ variables: nobody but us owns that prefix. */
  readonly errors: readonly string[]
}

/** For the JVM and the start scripts of Kafka's images; they mean nothing here and need no word. */
const JAVA_ONLY =
  /^KAFKA_(VERSION|HEAP_OPTS|OPTS|JMX_OPTS|JMX_PORT|JMX_HOSTNAME|GC_LOG_OPTS|JVM_PERFORMANCE_OPTS|DEBUG|HOME|SCALA_VERSION|LOG_DIRS_PATH)$|^KAFKA_.*LOG4J|^KAFKA_(CLIENT|INTER_BROKER|CONTROLLER)_(USERS?|PASSWORDS?)$/

/** What Docker links and Kubernetes put into the environment for a service called `kafka` or `ottla`. */
const SERVICE_LINK = /^(KAFKA|OTTLA)(_\w+)?_(SERVICE_(HOST|PORT)(_\w+)?|PORT_\d+_(TCP|UDP)(_\w+)?|NAME)$/

/** Names that the images use without a setting of that name. */
const ALIASES: { readonly [variable: string]: BrokerSetting } = {
  CLUSTER_ID: 'cluster.id',
  KAFKA_CLUSTER_ID: 'cluster.id',
  KAFKA_KRAFT_CLUSTER_ID: 'cluster.id',
}

/** Ours, beside the settings: read by the command line. */
const COMMAND_LINE = new Set(['OTTLA_CONFIG', 'OTTLA_BOOTSTRAP', 'OTTLA_DEBUG'])

/** A setting's name in capitals, everything else an underscore: `LOG_RETENTION_MS`. */
const spelling = (name: string) => name.toUpperCase().replace(/[^A-Z0-9]/g, '_')

/**
 * Settings from the environment, in three spellings: `OTTLA_LOG_RETENTION_MS`, `KAFKA_LOG_RETENTION_MS` (Kafka's images)
 * and `KAFKA_CFG_LOG_RETENTION_MS` (Bitnami's); the first of them wins.
 */
export function readEnvironment(env: Readonly<Record<string, string | undefined>>): EnvironmentReading {
  const names = new Map(Object.keys(brokerSettings).map(name => [spelling(name), name]))
  const found = new Map<string, EnvironmentSetting>()
  const warnings: string[] = []
  const errors: string[] = []
  for (const variable of Object.keys(env).sort(byPrefix)) {
    const value = env[variable]
    const part = /^(OTTLA|KAFKA_CFG|KAFKA)_(.+)$/.exec(variable)
    const name = ALIASES[variable] ?? (part === null ? undefined : (names.get(part[2]!) ?? listenerSetting(part[2]!)))
    if (value === undefined || (part === null && name === undefined)) continue
    if (isLink(variable, value) || JAVA_ONLY.test(variable) || COMMAND_LINE.has(variable)) continue
    if (name !== undefined) {
      // Our own settings have everyday names; KAFKA_HOST may well be the address of some broker elsewhere.
      if (part?.[1] === 'KAFKA' && foreign(name)) warnings.push(`${variable} is not a setting of a broker: passed over`)
      else if (!found.has(name)) found.set(name, { name, value, variable })
      continue
    }
    const hint = didYouMean(part![2]!, names.keys()).replace('mean ', `mean ${part![1]}_`)
    if (part![1] === 'OTTLA') errors.push(`Unknown setting ${variable}${hint}`)
    else warnings.push(`${variable} is not a setting of a broker: passed over${hint}`)
  }
  return { settings: [...found.values()], warnings, errors }
}

/** OTTLA_ before KAFKA_CFG_ before the rest. */
function byPrefix(a: string, b: string): number {
  return rank(a) - rank(b) || (a < b ? -1 : 1)
}

function rank(variable: string): number {
  if (variable.startsWith('KAFKA_CFG_')) return 1
  return variable.startsWith('OTTLA_') ? 0 : 2
}

function isLink(variable: string, value: string): boolean {
  return SERVICE_LINK.test(variable) || (/_PORT$/.test(variable) && value.includes('://'))
}

const OURS = new Set<string>([
  'advertise',
  'balance.enable',
  'broker.replace.after.ms',
  'data',
  'doors',
  'flush',
  'grpc.port',
  'host',
  'http.allowed.hosts',
  'http.allowed.origins',
  'http.port',
  'http.request.max.bytes',
  'logging.format',
  'logging.level',
  'placement',
  'replication.topology',
  'orderer',
  'orderer.lease.ms',
  'orderer.password',
  'orderer.renew.ms',
  'port',
  'tail.cache.bytes',
])
const foreign = (name: string) => OURS.has(name)

/** `LISTENER_NAME_INTERNAL_SSL_KEYSTORE_LOCATION`: a security setting for one listener. */
function listenerSetting(part: string): string | undefined {
  if (!part.startsWith('LISTENER_NAME_')) return undefined
  const dotted = part
    .toLowerCase()
    .replaceAll('___', '-')
    .replaceAll('__', '\0')
    .replaceAll('_', '.')
    .replaceAll('\0', '_')
  return isBrokerSetting(withoutListener(dotted)) ? dotted : undefined
}
