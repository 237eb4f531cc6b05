import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chooseNumber } from './join.ts'

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
