import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ScramClient, ScramError, ScramServer } from './scram.ts'

const seeded = (from: number) => {
  let next = from
  return { bytes: (count: number) => Uint8Array.from({ length: count }, () => next++ & 0xff) }
}
const passwords = (user: string) => (user === 'ottla-node' ? 'the secret of the cluster' : null)

function conversation(user: string, password: string) {
  const client = new ScramClient(user, password, seeded(1))
  const server = new ScramServer(passwords, seeded(100))
  return { client, server }
}

test('both sides prove that they know the secret', () => {
  const { client, server } = conversation('ottla-node', 'the secret of the cluster')
  const challenge = server.next(client.first())
  assert.equal(server.complete, false)
  const proof = client.final(challenge)
  const signature = server.next(proof)
  assert.equal(server.complete, true)
  assert.equal(server.user, 'ottla-node')
  client.verify(signature)
})

test('the example of RFC 7677: the same messages byte for byte', () => {
  const nonce = 'rOprNGfwEbeRWgbNEkqO'
  const client = new ScramClient('user', 'pencil', { bytes: () => Buffer.from(nonce, 'base64') })
  assert.equal(client.first().toString(), `n,,n=user,r=${nonce}`)
  const challenge = `r=${nonce}%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`
  const proof =
    'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ='
  assert.equal(client.final(Buffer.from(challenge)).toString(), proof)
  client.verify(Buffer.from('v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4='))
})

test('a wrong secret and an unknown user fail at the proof, with the same words', () => {
  const errors = [conversation('ottla-node', 'a guess'), conversation('root', 'the secret of the cluster')].map(
    ({ client, server }) => {
      const challenge = server.next(client.first())
      try {
        server.next(client.final(challenge))
      } catch (error) {
        assert.equal(server.complete, false)
        return (error as Error).message
      }
      return assert.fail('let in')
    },
  )
  assert.deepEqual(errors, ['the wrong secret', 'the wrong secret'])
})

test('a recorded conversation is worth nothing in another one', () => {
  const { client, server } = conversation('ottla-node', 'the secret of the cluster')
  const first = client.first()
  const proof = client.final(server.next(first))
  server.next(proof)
  assert.throws(() => server.next(proof), ScramError)
  const later = new ScramServer(passwords, seeded(200))
  later.next(first)
  assert.throws(() => later.next(proof), /foreign nonce/)
  assert.equal(later.complete, false)
})

test('a server that does not know the secret itself is not believed', () => {
  const client = new ScramClient('ottla-node', 'the secret of the cluster', seeded(1))
  const impostor = new ScramServer(() => 'a guess', seeded(100))
  client.final(impostor.next(client.first()))
  assert.throws(() => client.verify(Buffer.from(`v=${Buffer.alloc(32).toString('base64')}`)), /does not know/)
  assert.throws(() => client.verify(Buffer.from('e=other-error')), ScramError)
})

test('a client works only so hard for a server, and only with its own nonce', () => {
  const challenges = (nonce: string) => [
    `r=${nonce}x,s=AAAA,i=4095`,
    `r=${nonce}x,s=AAAA,i=65537`,
    `r=${nonce}x,s=AAAA,i=1e4`,
    `r=${nonce}x,s=,i=4096`,
    `r=${nonce}x,s=*,i=4096`,
    `r=${nonce},s=AAAA,i=4096`,
    's=AAAA,i=4096',
    `m=1,r=${nonce}x,s=AAAA,i=4096`,
    'x'.repeat(5000),
  ]
  const nonceOf = (client: ScramClient) => client.first().toString().split('r=')[1] as string
  for (const [at] of challenges('').entries()) {
    const client = new ScramClient('ottla-node', 'secret', seeded(1))
    const message = challenges(nonceOf(client))[at] as string
    assert.throws(() => client.final(Buffer.from(message)), ScramError, message.slice(0, 80))
  }
  const client = new ScramClient('ottla-node', 'secret', seeded(1))
  assert.throws(() => client.final(Buffer.from('r=somebody-else,s=AAAA,i=4096')), /foreign nonce/)
})

test('nonsense from a client ends the conversation', () => {
  for (const message of [
    '',
    'p=tls-unique,,n=ottla-node,r=12345678',
    'n,a=root,n=ottla-node,r=12345678',
    'n,,m=1,n=ottla-node,r=12345678',
    'n,,n=a=b,r=12345678',
    'n,,n=ottla-node,r=1',
    `n,,n=ottla-node,r=${'1'.repeat(257)}`,
  ]) {
    const server = new ScramServer(passwords, seeded(1))
    assert.throws(() => server.next(Buffer.from(message)), ScramError, message)
    assert.throws(() => server.next(Buffer.from('n,,n=ottla-node,r=12345678')), /after the last/)
  }
})

test('the channel that was announced must be the channel that is proved', () => {
  const server = new ScramServer(passwords, seeded(1))
  const challenge = server.next(Buffer.from('y,,n=ottla-node,r=12345678')).toString()
  const nonce = /r=([^,]+)/.exec(challenge)?.[1]
  assert.throws(() => server.next(Buffer.from(`c=biws,r=${nonce},p=${Buffer.alloc(32).toString('base64')}`)), /channel/)
})
