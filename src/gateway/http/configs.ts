import type { ConfigChange, ConfigEntry, ConfigResource } from '../../client/admin.ts'
import type { Gateway } from '../gateway.ts'
import { gives, listOf, record, takes, text } from './describing.ts'
import type { HttpAnswer, HttpRequest, Operation } from './route.ts'
import type { Schema } from './schema.ts'

/** Kafka's names for where a value comes from (`DescribeConfigsResponse.ConfigSource`). */
const sources = [
  'unknown',
  'dynamic-topic',
  'dynamic-broker',
  'dynamic-default-broker',
  'static-broker',
  'default',
  'dynamic-broker-logger',
  'client-metrics',
  'group',
]

const settings = gives(
  'All settings that are in force.',
  record({
    configs: listOf(
      record({
        name: text('Its name, as in Kafka.'),
        value: { type: ['string', 'null'], description: 'Null: unset, or a secret.' },
        source: { type: 'string', enum: sources, description: 'Who set it.' },
        readOnly: { type: 'boolean', description: 'It cannot be changed here.' },
        sensitive: { type: 'boolean', description: 'Its value is not shown.' },
        documentation: { type: ['string', 'null'] },
      }),
    ),
  }),
)

const changes: Schema = {
  type: 'object',
  description: 'New values by name; null: back to the default.',
  additionalProperties: { type: ['string', 'number', 'boolean', 'null'] },
}

type Described = Pick<Operation, 'operationId' | 'summary' | 'tags' | 'parameters'>

/** The operation that shows the settings of something. */
export const showsConfigs = (about: Described): Operation => ({ ...about, responses: { 200: settings } })

/** The operation that changes some. */
export const changesConfigs = ({ example, ...about }: Described & { readonly example: unknown }): Operation => ({
  ...about,
  requestBody: takes(changes, example),
  responses: { 200: settings },
})

export async function showConfigs(gateway: Gateway, resource: ConfigResource): Promise<HttpAnswer> {
  return { json: { configs: (await gateway.admin.describeConfigs(resource)).map(shown) } }
}

/** All changes of the body, or none. */
export async function changeConfigs(
  gateway: Gateway,
  resource: ConfigResource,
  request: HttpRequest,
): Promise<HttpAnswer> {
  const wanted = await request.json<Record<string, string | number | boolean | null>>()
  const asked = Object.entries(wanted).map(([name, value]): ConfigChange => {
    return value === null ? { name, operation: 'delete' } : { name, operation: 'set', value: String(value) }
  })
  await gateway.admin.alterConfigs(resource, asked, request.inputs.validateOnly === true)
  return showConfigs(gateway, resource)
}

function shown({ name, value, configSource, readOnly, isSensitive, documentation }: ConfigEntry) {
  return { name, value, source: sources[configSource] ?? 'unknown', readOnly, sensitive: isSensitive, documentation }
}
