import type { Operation, Route } from './route.ts'
import { type Schema, strict } from './schema.ts'

const problem: Schema = {
  type: 'object',
  description: 'What went wrong (RFC 9457).',
  properties: {
    type: { type: 'string', description: 'Which kind of problem, for programs.' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string', description: 'What is wrong here, and what to do.' },
    error: { type: 'string', description: "The name of Kafka's error, where it is one." },
    code: { type: 'integer', description: "Kafka's number for it." },
    retriable: { type: 'boolean', description: 'The same request may succeed later.' },
  },
  required: ['type', 'title', 'status', 'detail'],
  additionalProperties: true,
}

const problemResponse = (description: string) => ({
  description,
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
})

/** The description of all routes in OpenAPI 3.1. */
export function openApi(routes: readonly Route[], version: string): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const { path, method, operation } of routes) {
    paths[path] ??= {}
    paths[path][method.toLowerCase()] = described(operation)
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'ottla',
      version,
      description:
        'Topics, groups and the cluster over HTTP. Everything here is also reached by Kafka clients, on the same port.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    paths,
    components: { schemas: { Problem: problem } },
  }
}

function described(operation: Operation): Record<string, unknown> {
  const parameters = operation.parameters?.map(each => (each.in === 'path' ? { ...each, required: true } : each))
  const { requestBody } = operation
  const content = Object.entries(requestBody?.content ?? {}).map(([type, { schema, ...rest }]) => {
    return [type, { schema: strict(schema), ...rest }] as const
  })
  return {
    ...operation,
    ...(parameters === undefined ? {} : { parameters }),
    ...(requestBody === undefined ? {} : { requestBody: { ...requestBody, content: Object.fromEntries(content) } }),
    responses: {
      ...operation.responses,
      '4XX': problemResponse('The request cannot be done as it is.'),
      '5XX': problemResponse('The node or the cluster cannot do it now.'),
    },
  }
}
