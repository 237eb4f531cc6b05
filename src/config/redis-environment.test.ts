import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { resolveConfig } from './sources.ts'

const orderer = (value: string) => [{ name: 'orderer', value, origin: '--orderer' }]
const resolve = (env: Record<string, string>, flags = orderer('redis')) => resolveConfig({ env, flags }).config

describe('the variables of brokers with a lock in Redis', () => {
  it('mean us when the orderer is Redis', () => {
    const config = resolve({
      REDIS_HOST: 'r.example',
      REDIS_PORT: '7000',
      LEASE_TIME_SECONDS: '10',
      RENEW_INTERVAL_SECONDS: '2.5',
      BROKER_ID: 'broker-3',
      FLASK_RUN_PORT: '5002',
    })
    assert.equal(config.get('port'), 5002)
    assert.equal(config.get('orderer'), 'redis://r.example:7000')
    assert.equal(config.get('orderer.lease.ms'), 10_000)
    assert.equal(config.get('orderer.renew.ms'), 2500)
    assert.equal(config.get('node.id'), 3)
    assert.equal(config.get('broker.id'), 3)
  })

  it('mean nothing otherwise', () => {
    const config = resolve({ REDIS_HOST: 'r', BROKER_ID: '3', LEASE_TIME_SECONDS: 'x', FLASK_RUN_PORT: '1' }, [])
    assert.equal(config.get('port'), 9092)
    assert.equal(config.get('orderer'), 'raft')
    assert.equal(config.given('node.id'), null)
  })

  it('are less than what was said to us', () => {
    const said = { OTTLA_ORDERER_LEASE_MS: '3000', OTTLA_NODE_ID: '7' }
    const config = resolve({ ...said, REDIS_HOST: 'r', LEASE_TIME_SECONDS: '10', BROKER_ID: '3' }, orderer('redis://s'))
    assert.equal(config.get('orderer'), 'redis://s')
    assert.equal(config.get('orderer.lease.ms'), 3000)
    assert.equal(config.get('node.id'), 7)
  })

  it('have the usual defaults, and know the links of containers', () => {
    assert.equal(resolve({}).get('orderer'), 'redis://localhost:6379')
    const linked = resolve({ REDIS_HOST: '::1', REDIS_PORT: 'tcp://10.0.0.1:6379' })
    assert.equal(linked.get('orderer'), 'redis://[::1]:6379')
  })

  it('are read strictly', () => {
    assert.throws(() => resolve({ LEASE_TIME_SECONDS: 'ten' }), /LEASE_TIME_SECONDS: a number of seconds/)
    assert.throws(() => resolve({ BROKER_ID: 'me' }), /BROKER_ID: me does not end in a number/)
    assert.throws(() => resolve({ LEASE_TIME_SECONDS: '0.01' }), /orderer.lease.ms.*at least 100/)
  })

  it('are of no use for another orderer', () => {
    assert.throws(() => resolve({}, orderer('zookeeper://x')), /raft, redis, or redis:/)
  })
})
