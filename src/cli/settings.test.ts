import assert from 'node:assert/strict'
import { test } from 'node:test'
import { quickFlags } from './settings.ts'

test('flags of two words', () => {
  const flags = quickFlags(['--http-port', '8080', '--grpc-port=9000', '--doors', 'kafka,http', '-p', '1'])
  assert.deepEqual([flags?.httpPort, flags?.grpcPort, flags?.doors, flags?.port], ['8080', '9000', 'kafka,http', '1'])
  assert.equal(quickFlags(['--httpPort', '8080']), null)
})
