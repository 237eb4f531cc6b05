import assert from 'node:assert/strict'
import { test } from 'node:test'
import { resolveConfig } from '../config/sources.ts'
import { VirtualTime } from '../machine/testing.ts'
import type { Address, Listener, Net, Socket } from '../world/world.ts'
import { Listeners } from './listeners.ts'

/** Takes every address but those that a test says are taken; gives out ports from 5000 on. */
class FakeNet implements Net {
  readonly open = new Map<string, (socket: Socket) => void>()
  readonly taken = new Set<string>()
  #next = 5000

  listen({ host, port }: Address, accept: (socket: Socket) => void): Promise<Listener> {
    const address = { host, port: port === 0 ? this.#next++ : port }
    const key = `${host}:${address.port}`
    if (this.taken.has(host)) return Promise.reject(new Error(`EADDRINUSE ${key}`))
    this.open.set(key, accept)
    return Promise.resolve({
      address,
      close: async () => {
        this.open.delete(key)
      },
    })
  }

  connect(): Promise<Socket> {
    return Promise.reject(new Error('nobody is there'))
  }

  addresses(): readonly string[] {
    return ['10.0.0.7']
  }
}

const bind = (net: Net, settings: Record<string, string>, timers = new VirtualTime()) =>
  Listeners.bind(
    { net, timers },
    resolveConfig({ flags: Object.entries(settings).map(([name, value]) => ({ name, value, origin: name })) }),
  )

test('localhost is two addresses with one port, and one for other nodes', async () => {
  const net = new FakeNet()
  const listeners = await bind(net, { port: '0' })
  assert.deepEqual([...net.open.keys()], ['127.0.0.1:5000', '::1:5000'])
  assert.deepEqual(listeners.addresses, [{ host: 'localhost', port: 5000 }])
  assert.deepEqual(
    listeners.registered(() => '10.0.0.7'),
    [{ name: 'PLAINTEXT', host: '127.0.0.1', port: 5000 }],
  )
})

test('a machine without IPv6 is fine', async () => {
  const net = new FakeNet()
  net.taken.add('::1')
  assert.deepEqual((await bind(net, { port: '0' })).addresses, [{ host: 'localhost', port: 5000 }])
})

test('a port of localhost that is taken at one of its two addresses is taken', async () => {
  const net = new FakeNet()
  const listen = net.listen.bind(net)
  net.listen = (address, accept) =>
    address.host === '::1'
      ? Promise.reject(Object.assign(new Error('in use'), { code: 'EADDRINUSE' }))
      : listen(address, accept)
  await assert.rejects(bind(net, { port: '9092' }), { code: 'EADDRINUSE' })
  assert.equal(net.open.size, 0)
  // Nobody has asked for that one.
  assert.deepEqual((await bind(net, { port: '0' })).addresses, [{ host: 'localhost', port: 5000 }])
})

test('what listens everywhere is registered with an address of its machine, or with the one that is advertised', async () => {
  const everywhere = await bind(new FakeNet(), { host: '0.0.0.0', port: '9092' })
  assert.deepEqual(everywhere.addresses, [{ host: 'localhost', port: 9092 }])
  assert.deepEqual(
    everywhere.registered(() => '10.0.0.7'),
    [{ name: 'PLAINTEXT', host: '10.0.0.7', port: 9092 }],
  )
  const advertised = await bind(new FakeNet(), { host: '0.0.0.0', port: '9092', advertise: 'broker.example' })
  assert.deepEqual(
    advertised.registered(() => '10.0.0.7'),
    [{ name: 'PLAINTEXT', host: 'broker.example', port: 9092 }],
  )
  assert.deepEqual([...advertised.advertised], [[9092, { host: 'broker.example', port: 9092 }]])
})

test('of several listeners each has its name, and none stays open when one cannot be', async () => {
  const net = new FakeNet()
  const settings = {
    listeners: 'IN://10.0.0.7:0,OUT://0.0.0.0:0',
    'listener.security.protocol.map': 'IN:PLAINTEXT,OUT:PLAINTEXT',
    'inter.broker.listener.name': 'IN',
  }
  const listeners = await bind(net, settings)
  assert.deepEqual(
    [5000, 5001].map(port => listeners.nameOf(port)),
    ['IN', 'OUT'],
  )
  assert.deepEqual([listeners.port, listeners.bootstrap], [5000, '10.0.0.7:5000,localhost:5001'])
  await listeners.close()
  assert.equal(net.open.size, 0)
  net.taken.add('0.0.0.0')
  await assert.rejects(bind(net, settings), /EADDRINUSE/)
  assert.equal(net.open.size, 0)
})

test('who comes before there is a broker waits for it, for a while; of too many the last are sent away', async () => {
  const net = new FakeNet()
  const timers = new VirtualTime()
  const listeners = await bind(net, { host: '127.0.0.1', port: '0' }, timers)
  const destroyed: number[] = []
  const socket = (id: number) => ({ id, destroy: () => destroyed.push(id) }) as unknown as Socket
  const come = (id: number) => net.open.get('127.0.0.1:5000')?.(socket(id))
  come(0)
  timers.advance(2000)
  for (let id = 1; id <= 1000; id++) come(id)
  assert.deepEqual(destroyed, [1000])
  timers.advance(1000)
  assert.deepEqual(destroyed, [1000, 0])
  const accepted: unknown[] = []
  listeners.serve(each => accepted.push(each))
  assert.equal(accepted.length, 999)
  timers.advance(3000)
  come(1001)
  assert.deepEqual([destroyed.length, accepted.length], [2, 1000])
})

test('who waits when the node gives up is sent away', async () => {
  const net = new FakeNet()
  const listeners = await bind(net, { host: '127.0.0.1', port: '0' })
  let destroyed = 0
  net.open.get('127.0.0.1:5000')?.({ destroy: () => destroyed++ } as unknown as Socket)
  await listeners.close()
  assert.equal(destroyed, 1)
})

test('it knows its own addresses, whatever they are called', async () => {
  const cases: [Record<string, string>, own: string[], others: string[]][] = [
    [
      { host: '0.0.0.0', port: '9092' },
      ['10.0.0.7:9092', '127.0.0.1:9092', 'localhost:9092'],
      ['10.0.0.7:9093', '10.0.0.8:9092', 'a:9092'],
    ],
    [{ port: '9092' }, ['localhost:9092', '127.0.0.1:9092', '::1:9092'], ['10.0.0.7:9092', 'localhost:9093']],
    [{ host: '10.0.0.7', port: '9092' }, ['10.0.0.7:9092'], ['127.0.0.1:9092', 'localhost:9092']],
    [{ host: '127.0.0.1', port: '9092' }, ['127.0.0.1:9092', 'localhost:9092'], ['10.0.0.7:9092', '::1:9092']],
    [
      { host: '0.0.0.0', port: '9092', 'advertised.listeners': 'PLAINTEXT://a.example:19092' },
      ['a.example:19092', '10.0.0.7:9092'],
      ['a.example:9092', 'b.example:19092'],
    ],
  ]
  for (const [settings, own, others] of cases) {
    const net = new FakeNet()
    const listeners = await bind(net, settings)
    const isOwn = (text: string) => {
      const at = text.lastIndexOf(':')
      return listeners.isOwn({ host: text.slice(0, at), port: Number(text.slice(at + 1)) }, net.addresses())
    }
    assert.deepEqual([own.filter(isOwn), others.filter(isOwn)], [own, []], JSON.stringify(settings))
  }
})
