import type { Parameter, Response } from './route.ts'
import type { Schema } from './schema.ts'

/** Short ways to say what operations take and give. */

export const text = (description: string): Schema => ({ type: 'string', description })
export const whole = (description: string): Schema => ({ type: 'integer', description })
export const flag = (description: string): Schema => ({ type: 'boolean', description })
/** A whole number, or null when nobody knows. */
export const maybe = (description: string): Schema => ({ type: ['integer', 'null'], description })
export const listOf = (items: Schema, description?: string): Schema => ({
  type: 'array',
  items,
  ...(description === undefined ? {} : { description }),
})

/** An object with these properties, all of them. */
export const record = (properties: Readonly<Record<string, Schema>>, description?: string): Schema => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  ...(description === undefined ? {} : { description }),
})

export const gives = (description: string, schema: Schema): Response => ({
  description,
  content: { 'application/json': { schema } },
})

export const takes = (schema: Schema, example?: unknown) => ({
  required: true,
  content: { 'application/json': { schema, ...(example === undefined ? {} : { example }) } },
})

/** What Kafka allows as the name of a topic. */
export const topicName: Schema = { type: 'string', minLength: 1, maxLength: 249, pattern: '^[a-zA-Z0-9._-]+$' }

export const topicParameter: Parameter = {
  name: 'topic',
  in: 'path',
  description: 'Name of the topic.',
  schema: topicName,
  example: 'orders',
}

export const partitionNumber: Schema = { type: 'integer', minimum: 0, maximum: 2 ** 31 - 1 }

/** An offset, or anything that counts records. */
export const offsetNumber: Schema = { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER }

export const validateOnly: Parameter = {
  name: 'validateOnly',
  in: 'query',
  description: 'Only says whether it could be done.',
  schema: { type: 'boolean', default: false },
}
