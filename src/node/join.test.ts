import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KafkaError } from '../protocol/errors.ts'
import { askInTurn, chooseNumber } from './join.ts'

test('a node that joins takes the smallest free number, and the one it has asked for, if that was given to it', () => {
  const address = (port: number) => ({ host: 'a', port })
  const known = new Map([
    [1, [address(1)]],
    [2, [address(2)]],
    [4, [address(9)]],
  ])
  const cases: [own: number, tried: number, taken: number[], wanted: number, why: string][] = [
    [9, -1, [], 3, 'the first that is free'],
    [9, 3, [3], 5, 'one that was refused is not free'],
    [9, 4, [], 4, 'it was given to us, and the answer got lost'],
    [9, 4, [4], 3, 'unless it was refused'],
    [9, 2, [], 3, 'somebody else was quicker'],
    [9, -1, [], 3, 'what another life at this address was given may have data of its own'],
    [8, 4, [], 3, 'an address of somebody else'],
  ]
  for (const [own, tried, taken, wanted, why] of cases)
    assert.equal(chooseNumber(known, [address(own)], { taken: new Set(taken), tried }), wanted, why)
})

test('a seed that hangs, is not ready or is a stranger keeps nobody from the next one; of all reasons the best is told', async () => {
  const cases: [seeds: string[], wanted: string, why: string][] = [
    [['here'], 'here', 'the first that answers'],
    [['NETWORK_EXCEPTION', 'here'], 'here', 'nobody listens there'],
    [['REQUEST_TIMED_OUT', 'here'], 'here', 'it accepts, and says nothing'],
    [['NOT_CONTROLLER', 'here'], 'here', 'it has lost the others, or is starting'],
    [['SASL_AUTHENTICATION_FAILED', 'UNSUPPORTED_VERSION', 'here'], 'here', 'it is of another cluster, or none'],
    [['here', 'there'], 'here', 'the others are not asked then'],
    [['NOT_CONTROLLER', 'NETWORK_EXCEPTION'], 'NETWORK_EXCEPTION', 'the last one: all of them may pass'],
    [['SASL_AUTHENTICATION_FAILED', 'REQUEST_TIMED_OUT'], 'SASL_AUTHENTICATION_FAILED', 'one that does not pass'],
    [
      ['SASL_AUTHENTICATION_FAILED', 'DUPLICATE_BROKER_REGISTRATION', 'NETWORK_EXCEPTION'],
      'DUPLICATE_BROKER_REGISTRATION',
      'what the cluster itself says',
    ],
    [[], 'NETWORK_EXCEPTION', 'nobody but ourselves'],
  ]
  for (const [seeds, wanted, why] of cases) {
    const asked: string[] = []
    const answer = await askInTurn(
      seeds.map(host => ({ host, port: 1 })),
      async ({ host }) => {
        asked.push(host)
        if (!host.startsWith('here')) throw new KafkaError(host as 'NOT_CONTROLLER', host)
        return host
      },
    ).catch(error => (error as KafkaError).errorName)
    assert.equal(answer, wanted, why)
    assert.deepEqual(asked, answer === 'here' ? seeds.slice(0, seeds.indexOf('here') + 1) : seeds, why)
  }
})
