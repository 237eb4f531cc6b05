import assert from 'node:assert/strict'
import { type AddressInfo, createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { entriesAfter, fencedLogContract } from '../../src/cluster/orderer/fenced/contract.ts'
import { logStart } from '../../src/cluster/orderer/fenced/fenced-log.ts'
import { RedisLog } from '../../src/cluster/orderer/redis/redis-log.ts'
import { parseRedisUrl } from '../../src/cluster/orderer/redis/url.ts'
import { nodeWorld } from '../../src/world/node.ts'
import { RedisServer, redisBinary } from './redis-server.ts'

/** `login` and `query` as in its address. */
function clientOf(server: RedisServer, { login = '', query = '', said = [] as string[] } = {}): RedisLog {
  const target = parseRedisUrl(`redis://${login}127.0.0.1:${server.port}/${query}`)
  return new RedisLog({ target, world: nodeWorld, timeoutMs: 1000, warn: message => said.push(message) })
}

const leader = { id: 1, directoryId: 'x', endpoints: [] }

/** Until the test is over. */
async function serverFor(test: TestContext, ...options: string[]) {
  const server = await RedisServer.start(...options)
  test.after(() => server.stop())
  const client = (more?: Parameters<typeof clientOf>[1]) => {
    const log = clientOf(server, more)
    test.after(() => log.close())
    return log
  }
  return { server, client }
}

/** Stands in for what is no Redis of its own (a proxy, a managed service): `EVAL` has this answer. */
async function impostor(test: TestContext, evaluated: string): Promise<RedisLog> {
  const server = createServer(socket => {
    socket.on('error', () => {})
    socket.on('data', data => {
      for (const [, word] of data.toString('latin1').matchAll(/\*\d+\r\n\$\d+\r\n([A-Z]+)/g)) {
        socket.write(word === 'HELLO' ? '%0\r\n' : word === 'EVAL' ? evaluated : '*0\r\n')
      }
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', () => resolve()))
  test.after(() => server.close())
  const target = parseRedisUrl(`redis://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const log = new RedisLog({ target, world: nodeWorld, timeoutMs: 1000, warn: () => {} })
  test.after(() => log.close())
  return log
}

test('Redis that does not say who it is cannot be used', async test => {
  const log = await impostor(test, '*5\r\n$4\r\nnone\r\n*0\r\n:-2\r\n$0\r\n\r\n*0\r\n')
  await assert.rejects(log.look(0), { name: 'StoreUnfit', message: /master_replid/ })
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

  test('Redis that promises less than an append needs is told of', async test => {
    for (const [options, expected] of [
      [['--appendonly', 'no'], /does not write down/],
      [['--appendfsync', 'everysec'], /may lose its last second/],
      [['--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru'], /throws keys away.*the metadata/],
      [['--maxmemory', '100mb', '--maxmemory-policy', 'volatile-ttl'], /throws keys away.*the lease/],
    ] as const) {
      const { client } = await serverFor(test, ...options)
      const said: string[] = []
      const log = client({ said })
      await log.look(0)
      await log.look(0)
      assert.equal(said.length, 1)
      assert.match(said[0]!, expected)
    }
  })

  test('Redis with a password, and with another database', async test => {
    const { client } = await serverFor(test, '--requirepass', 'secret')
    const query = '3?prefix=mine'
    await assert.rejects(client({ query }).look(0), /NOAUTH/)
    await assert.rejects(client({ query, login: ':wrong@' }).look(0), /WRONGPASS/)
    const log = client({ query, login: ':secret@' })
    await log.create('log', 'cluster')
    assert.equal((await log.look(0))?.head.logId, 'log')
    assert.equal(await client({ login: ':secret@' }).look(0), null)
  })

  test('Redis with a user who may do little else', async test => {
    const { server, client } = await serverFor(test)
    const rights = ['on', '>secret', '~{ottla}:*', '&{ottla}:*', '+@all', '-@dangerous', '+info']
    assert.match(await server.command('ACL', 'SETUSER', 'ottla', ...rights), /OK/)
    const login = 'ottla:secret@'
    const said: string[] = []
    const log = client({ login, said })
    await log.create('log', 'cluster')
    const head = (await log.acquire({ logId: 'log', leader, nonce: 'a', former: [], leaseMs: 1000 }))!
    const { entries, end } = entriesAfter(head, 'x')
    assert.equal(await log.append(head.token, head, 'one', entries, end), 'ok')
    for (const startOffset of [0, 0, 1]) {
      assert.equal(await log.putSnapshot(head.token, { ...end, epoch: 1 }, Buffer.from('s'), startOffset), 'ok')
    }
    assert.deepEqual(said, [], 'it may not look at how Redis is set up')
    await assert.rejects(client({ login, query: '?prefix=other' }).create('log', 'cluster'), /NOPERM/)
  })

  test('Redis that refuses to tell of changes shifts no answers', async test => {
    const { server, client } = await serverFor(test)
    const log = client()
    await log.create('log', 'cluster')
    const { token } = (await log.acquire({ logId: 'log', leader, nonce: 'a', former: [], leaseMs: 60_000 }))!
    await server.command('ACL', 'SETUSER', 'deaf', 'on', '>secret', '~*', 'resetchannels', '+@all')
    const deaf = client({ login: 'deaf:secret@' })
    assert.ok((await deaf.look(0)) !== null)
    const head = (await deaf.look(0))!.head
    const { entries, end } = entriesAfter(head, 'x')
    assert.equal(await deaf.append(token, head, 'one', entries, end), 'ok', 'nobody can be told, and it is done')
    deaf.watch(() => {})
    const late = entriesAfter(end, 'y')
    for (let i = 0; i < 3; i++) {
      const zombie = deaf.append({ epoch: 9, nonce: 'b' }, end, 'two', late.entries, late.end)
      const answers = await Promise.allSettled([deaf.renew(token, 1000), zombie, deaf.look(0)])
      // The connection that was there may have answered before.
      if (i === 0) continue
      for (const answer of answers) {
        assert.equal(answer.status, 'rejected', JSON.stringify(answer))
        assert.match(answer.reason.message, /NOPERM.*channel/i)
      }
    }
    assert.equal((await log.look(0))!.head.endOffset, 1)
  })

  test('Redis that is busy for long is asked over one connection at a time', async test => {
    const { server, client } = await serverFor(test, '--lua-time-limit', '20')
    const log = client()
    log.watch(() => {})
    server.command('EVAL', 'while true do end', '0').catch(() => {})
    await sleep(100)
    for (let i = 0; i < 20; i++) await assert.rejects(log.look(0), /BUSY/)
    await server.command('SCRIPT', 'KILL')
    for (let i = 0; (await log.look(0).catch(() => 'busy')) !== null; i++) {
      assert.ok(i < 100)
      await sleep(20)
    }
    const clients = await server.command('CLIENT', 'LIST')
    assert.ok((clients.match(/^id=/gm) ?? []).length <= 4, clients)
  })

  test('what too few replicas have does not count', async test => {
    const { server, client } = await serverFor(test, '--repl-diskless-sync-delay', '0')
    const log = client({ query: '?replicas=1' })
    const take = (from: RedisLog, nonce: string) =>
      from.acquire({ logId: 'log', leader: { id: 1, directoryId: 'x', endpoints: [] }, nonce, former: [], leaseMs: 1 })
    await assert.rejects(log.create('log', 'cluster'), /0 of its replicas have what was written, and 1 must/)
    const replica = await serverFor(test, '--replicaof', '127.0.0.1', String(server.port))
    let epoch: number | undefined
    for (let i = 0; epoch === undefined; i++) {
      assert.ok(i < 100)
      await sleep(50)
      // The first replica gives Redis a new replication id.
      const { head } = (await log.look(0))!
      if (head.moved) await log.confirm(head).catch(() => {})
      epoch = (await take(log, `n${i}`).catch(() => null))?.token.epoch
    }
    assert.ok((await replica.server.command('HGET', '{ottla}:head', 'epoch')).includes(String(epoch)))
    await assert.rejects(take(replica.client(), 'x'), /READONLY/)

    const { token } = (await log.look(0))!.head
    const insist = async (append: () => Promise<string>) => {
      for (let i = 0; (await append().catch(() => '')) !== 'ok'; i++) assert.ok(i < 100)
    }
    const counted = entriesAfter(logStart, 'x')
    await insist(() => log.append(token, logStart, 'one', counted.entries, counted.end))
    assert.equal((await log.look(0))!.head.safeOffset, 1)
    await replica.server.kill()
    const { entries, end } = entriesAfter(counted.end, 'y')
    const append = () => log.append(token, counted.end, 'two', entries, end)
    for (let i = 0; i < 2; i++) await assert.rejects(append(), /of its replicas have/)
    const head = (await log.look(0))!.head
    assert.deepEqual([head.endOffset, head.safeOffset], [2, 1], 'nobody is to be shown it')
    await replica.server.start()
    await insist(append)
    assert.equal((await log.look(0))!.head.safeOffset, 2)
  })
}
