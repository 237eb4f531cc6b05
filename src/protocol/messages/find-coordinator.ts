import { api, array, int8, int16, int32, list, string } from '../schema.ts'

/**
 * Asks which broker coordinates a group (0), a transaction (1) or a share group (2). Several keys at once from
 * version 4 on (KIP-699).
 */
export const FindCoordinator = api(
  10,
  'FindCoordinator',
  '0-6',
  { flexible: '3+' },
  {
    key: string.in('0-3'),
    keyType: int8.in('1+'),
    coordinatorKeys: list(string).in('4+'),
  },
  {
    throttleTimeMs: int32.in('1+').ignorable(),
    errorCode: int16.in('0-3'),
    errorMessage: string.in('1-3').nullable().ignorable(),
    nodeId: int32.in('0-3'),
    host: string.in('0-3'),
    port: int32.in('0-3'),
    coordinators: array({
      key: string,
      nodeId: int32,
      host: string,
      port: int32,
      errorCode: int16,
      errorMessage: string.nullable(),
    }).in('4+'),
  },
)
