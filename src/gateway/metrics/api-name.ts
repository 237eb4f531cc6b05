import { ApiKey } from '../../protocol/api-keys.ts'

const names = new Map<number, string>(Object.entries(ApiKey).map(([name, key]) => [key, name]))

/** The name of one of Kafka's APIs. */
export const apiName = (key: number): string => names.get(key) ?? String(key)
