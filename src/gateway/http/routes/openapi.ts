import { openApi } from '../openapi.ts'
import type { Route } from '../route.ts'

/** The description of all of it, made when it is first asked for. */
export function openapi(all: () => readonly Route[]): Route {
  let document: string | null = null
  return {
    method: 'GET',
    path: '/openapi.json',
    operation: {
      operationId: 'openapi',
      summary: 'What can be asked here, in OpenAPI 3.1',
      tags: ['about'],
      responses: {
        200: { description: 'This document.', content: { 'application/json': { schema: { type: 'object' } } } },
      },
    },
    handle() {
      document ??= JSON.stringify(openApi(all(), '1'))
      return { bytes: document, type: 'application/json' }
    },
  }
}
