import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GrpcError } from '../status.ts'
import { timeoutOf } from './timeout.ts'

const cases: readonly [string | undefined, number | null][] = [
  [undefined, null],
  ['1S', 1000],
  ['2M', 120_000],
  ['1H', 3_600_000],
  ['250m', 250],
  ['1500u', 2],
  ['1n', 1],
  ['0S', 1],
  ['99999999H', 2 ** 31 - 1],
]

for (const [header, ms] of cases) test(`grpc-timeout ${header}`, () => assert.equal(timeoutOf(header), ms))

for (const header of ['', '1', 'S', '1s', '-1S', '1.5S', '123456789S', '1S ', '1SS'])
  test(`grpc-timeout '${header}' is none`, () => assert.throws(() => timeoutOf(header), GrpcError))
