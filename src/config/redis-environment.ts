import type { EnvironmentReading, EnvironmentSetting } from './environment.ts'

/** A lock in Redis for brokers is configured like this elsewhere; the names are too common to mean us when Redis does not. */
const names = [
  'REDIS_HOST',
  'REDIS_PORT',
  'LEASE_TIME_SECONDS',
  'RENEW_INTERVAL_SECONDS',
  'BROKER_ID',
  'FLASK_RUN_PORT',
] as const

/** What the variables of such brokers say, for a node whose orderer is Redis. `orderer`: as it was given. */
export function readRedisEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  orderer: string,
): Omit<EnvironmentReading, 'warnings'> {
  const settings: EnvironmentSetting[] = []
  const errors: string[] = []
  // Docker's links say tcp://10.0.0.1:6379.
  const value = (name: (typeof names)[number]) => {
    const text = env[name]
    return text === undefined || text === '' || text.includes('://') ? undefined : text
  }
  if (orderer === 'redis') {
    const host = value('REDIS_HOST') ?? 'localhost'
    const shown = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host
    settings.push({
      name: 'orderer',
      value: `redis://${shown}:${value('REDIS_PORT') ?? '6379'}`,
      variable: 'REDIS_HOST',
    })
  }
  for (const [variable, name] of [
    ['LEASE_TIME_SECONDS', 'orderer.lease.ms'],
    ['RENEW_INTERVAL_SECONDS', 'orderer.renew.ms'],
  ] as const) {
    const text = value(variable)
    if (text === undefined) continue
    if (/^\d{1,6}(\.\d{1,3})?$/.test(text))
      settings.push({ name, value: String(Math.round(Number(text) * 1000)), variable })
    else errors.push(`${variable}: a number of seconds is needed, not ${text}`)
  }
  const brokerId = value('BROKER_ID')
  if (brokerId !== undefined) {
    // Names like broker-2 have their number at the end.
    const number = /(\d{1,9})$/.exec(brokerId)?.[1]
    if (number === undefined) errors.push(`BROKER_ID: ${brokerId} does not end in a number`)
    else settings.push({ name: 'node.id', value: String(Number(number)), variable: 'BROKER_ID' })
  }
  const port = value('FLASK_RUN_PORT')
  if (port !== undefined) settings.push({ name: 'port', value: port, variable: 'FLASK_RUN_PORT' })
  return { settings, errors }
}
