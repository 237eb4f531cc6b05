import { api, array, bool, int8, int16, int32, list, string } from '../schema.ts'

/**
 * Configurations of topics, brokers, loggers, groups and client metrics, with where each value comes from (KIP-226).
 */
export const DescribeConfigs = api(
  32,
  'DescribeConfigs',
  '0-4',
  { flexible: '4+' },
  {
    resources: array({
      resourceType: int8,
      resourceName: string,
      configurationKeys: list(string).nullable(),
    }),
    includeSynonyms: bool.in('1+'),
    includeDocumentation: bool.in('3+'),
  },
  {
    throttleTimeMs: int32.or(0),
    results: array({
      errorCode: int16,
      errorMessage: string.nullable(),
      resourceType: int8,
      resourceName: string,
      configs: array({
        name: string,
        value: string.nullable(),
        readOnly: bool,
        isDefault: bool.in('0'),
        configSource: int8.in('1+').or(-1).ignorable(),
        isSensitive: bool,
        synonyms: array({ name: string, value: string.nullable(), source: int8 }).in('1+').ignorable(),
        configType: int8.in('3+').ignorable(),
        documentation: string.in('3+').nullable().ignorable(),
      }),
    }),
  },
)
