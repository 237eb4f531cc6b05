// The protocol buffers that the seed in Go shows in its README, word for word; it leaves four messages out.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import * as grpc from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { start } from '../gateway/kit.ts'

const documented = `
message PublishRequest {
  string subject = 1;
  bytes body = 2;
  int32 expirationSeconds = 3;
}

message FetchRequest {
  string subject = 1;
  int32 id = 2;
}

message SubscribeRequest {
  string subject = 1;
}

service Broker {
  rpc Publish (PublishRequest) returns (PublishResponse);
  rpc Subscribe(SubscribeRequest) returns (stream MessageResponse);
  rpc Fetch(FetchRequest) returns (MessageResponse);
  rpc Broadcast(PublishRequest) returns (BroadcastResponse);
  rpc IncIdx(IncIdxRequest) returns (IncIdxResponse);
}
`

const leftOut = `
message PublishResponse { int32 id = 1; }
message MessageResponse { bytes body = 1; }
message BroadcastResponse { bool ack = 1; }
message IncIdxRequest { string subject = 1; }
message IncIdxResponse { int32 newIdx = 1; }
`

const folder = mkdtempSync(join(tmpdir(), 'ottla-proto-'))
after(() => rmSync(folder, { recursive: true, force: true }))

test('a client that is made of it publishes, fetches, subscribes, broadcasts and counts', async () => {
  writeFileSync(join(folder, 'readme.proto'), `syntax = "proto3";\npackage broker;\n${documented}${leftOut}`)
  const loaded = grpc.loadPackageDefinition(loadSync('readme.proto', { keepCase: true, includeDirs: [folder] }))
  const { bootstrap } = await start()
  // biome-ignore lint/suspicious/noExplicitAny: packages are nested objects of unknown depth
  const client = new (loaded as any).broker.Broker(bootstrap, grpc.credentials.createInsecure())
  const call = (method: string, request: object): Promise<Record<string, unknown>> =>
    new Promise((resolve, reject) =>
      client[method](request, (error: Error | null, answer: Record<string, unknown>) =>
        error === null ? resolve(answer) : reject(error),
      ),
    )
  try {
    const subject = 'news'
    const body = Buffer.from('hello')
    const { id } = await call('Publish', { subject, body, expirationSeconds: 60 })
    assert.deepEqual((await call('Fetch', { subject, id })).body, body)

    const stream: grpc.ClientReadableStream<{ body: Buffer }> = client.Subscribe({ subject })
    stream.on('error', () => {})
    const heard: string[] = []
    const both = new Promise<void>(resolve =>
      stream.on('data', message => {
        heard.push(message.body.toString())
        if (heard.length === 2) resolve()
      }),
    )
    await new Promise(resolve => stream.once('metadata', resolve))
    await call('Publish', { subject, body: Buffer.from('to all who subscribe') })
    assert.equal((await call('Broadcast', { subject, body: Buffer.from('to everybody') })).ack, true)
    await both
    assert.deepEqual(heard, ['to all who subscribe', 'to everybody'])
    stream.cancel()

    const numbers = [await call('IncIdx', { subject }), await call('IncIdx', { subject })]
    assert.deepEqual(
      numbers.map(({ newIdx }) => newIdx ?? 0),
      [0, 1],
    )
  } finally {
    client.close()
  }
})
