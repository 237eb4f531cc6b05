import { api, array, bool, int8, int16, int32, string } from '../schema.ts'

/** Brokers or controllers of the cluster (KIP-700, KIP-919), fenced ones too from version 2 on (KIP-1073). */
export const DescribeCluster = api(
  60,
  'DescribeCluster',
  '0-2',
  { flexible: '0+' },
  {
    includeClusterAuthorizedOperations: bool,
    endpointType: int8.in('1+').or(1),
    includeFencedBrokers: bool.in('2+'),
  },
  {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    errorMessage: string.nullable().or(null),
    endpointType: int8.in('1+').or(1),
    clusterId: string,
    controllerId: int32.or(-1),
    brokers: array({
      brokerId: int32,
      host: string,
      port: int32,
      rack: string.nullable().or(null),
      isFenced: bool.in('2+'),
    }),
    clusterAuthorizedOperations: int32.or(-2147483648),
  },
)
