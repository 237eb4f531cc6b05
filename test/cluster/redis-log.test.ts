import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { entriesAfter, fencedLogContract } from '../../src/cluster/orderer/fenced/contract.ts'
import { RedisLog } from '../../src/cluster/orderer/redis/redis-log.ts'
import { parseRedisUrl } from '../../src/cluster/orderer/redis/url.ts'
import { nodeWorld } from '../../src/world/node.ts'
import { RedisServer, redisBinary } from './redis-server.ts'

const clientOf = (server: RedisServer, query = '', said: string[] = []) =>
  new RedisLog({
    target: parseRedisUrl(`redis://127.0.0.1:${server.port}/${query}`),
    world: nodeWorld,
    timeoutMs: 1000,
    warn: message => said.push(message),
  })

if (redisBinary === null) {
  test('the metadata log in Redis', test => test.skip('there is no redis-server: see test/peers/redis/install.sh'))
} else {
  fencedLogContract('Redis', async () => {
    const server = await RedisServer.start()
    return {
      client: () => clientOf(server),
      restart: () => server.restart(),
      pass: ms => sleep(ms),
      close: () => server.stop(),
    }
  })

  test('Redis that promises less than an append needs is told of', async () => {
    for (const [options, expected] of [
      [['--appendonly', 'no'], /does not write down/],
      [['--appendfsync', 'everysec'], /may lose its last second/],
      [['--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru'], /throws keys away/],
    ] as const) {
      const server = await RedisServer.start(...options)
      const said: string[] = []
      const log = clientOf(server, '', said)
      await log.look(0)
      await log.look(0)
      assert.equal(said.length, 1)
      assert.match(said[0]!, expected)
      log.close()
      await server.stop()
    }
  })

  test('Redis with a password, and with another database', async () => {
    const server = await RedisServer.start('--requirepass', 'secret')
    const target = (text: string) => {
      const url = `redis://${text}127.0.0.1:${server.port}/3?prefix=mine`
      return new RedisLog({ target: parseRedisUrl(url), world: nodeWorld, timeoutMs: 1000, warn() {} })
    }
    for (const [login, expected] of [
      ['', /NOAUTH/],
      [':wrong@', /WRONGPASS/],
    ] as const) {
      const log = target(login)
      await assert.rejects(log.look(0), expected)
      log.close()
    }
    const log = target(':secret@')
    await log.create('log', 'cluster')
    assert.equal((await log.look(0))?.head.logId, 'log')
    log.close()
    await server.stop()
  })

  test('Redis with a user who may do little else', async () => {
    const server = await RedisServer.start()
    const rights = ['on', '>secret', '~{ottla}:*', '&{ottla}:*', '+@all', '-@dangerous', '+info']
    assert.match(await server.command('ACL', 'SETUSER', 'ottla', ...rights), /OK/)
    const clientAs = (prefix: string) => {
      const url = `redis://ottla:secret@127.0.0.1:${server.port}?prefix=${prefix}`
      const said: string[] = []
      const warn = (message: string) => void said.push(message)
      return { log: new RedisLog({ target: parseRedisUrl(url), world: nodeWorld, timeoutMs: 1000, warn }), said }
    }
    const { log, said } = clientAs('ottla')
    await log.create('log', 'cluster')
    const leader = { id: 1, directoryId: 'x', endpoints: [] }
    const head = (await log.acquire({ logId: 'log', leader, nonce: 'a', former: [], leaseMs: 1000 }))!
    const { entries, end } = entriesAfter(head, 'x')
    assert.equal(await log.append(head.token, head, 'one', entries, end), 'ok')
    for (const startOffset of [0, 0, 1]) {
      assert.equal(await log.putSnapshot(head.token, { ...end, epoch: 1 }, Buffer.from('s'), startOffset), 'ok')
    }
    assert.deepEqual(said, [], 'it may not look at how Redis is set up')
    const { log: other } = clientAs('other')
    await assert.rejects(other.create('log', 'cluster'), /NOPERM/)
    for (const each of [log, other]) each.close()
    await server.stop()
  })

  test('what too few replicas have does not count', async () => {
    const server = await RedisServer.start()
    const log = clientOf(server, '?replicas=1')
    const take = (from: RedisLog, nonce: string) =>
      from.acquire({ logId: 'log', leader: { id: 1, directoryId: 'x', endpoints: [] }, nonce, former: [], leaseMs: 1 })
    await assert.rejects(log.create('log', 'cluster'), /0 of its replicas have what was written, and 1 must/)
    const replica = await RedisServer.start('--replicaof', '127.0.0.1', String(server.port))
    let epoch: number | undefined
    for (let i = 0; epoch === undefined; i++) {
      assert.ok(i < 100)
      await sleep(50)
      // The first replica gives Redis a new replication id.
      const { head } = (await log.look(0))!
      if (head.moved) await log.confirm(head).catch(() => {})
      epoch = (await take(log, `n${i}`).catch(() => null))?.token.epoch
    }
    assert.ok((await replica.command('HGET', '{ottla}:head', 'epoch')).includes(String(epoch)))
    const wrong = clientOf(replica)
    await assert.rejects(take(wrong, 'x'), /READONLY/)
    for (const each of [log, wrong]) each.close()
    await replica.stop()
    await server.stop()
  })
}
