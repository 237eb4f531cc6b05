import { ConsoleFiles } from '../../console/files.ts'
import type { Gateway } from '../../gateway.ts'
import { notFound } from '../problem.ts'
import type { HttpAnswer, HttpRequest, Response, Route } from '../route.ts'

const known = new WeakMap<Gateway, ConsoleFiles>()

/** The page loads only what is ours, talks only to us, and stands in nobody's frame. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

function show(name: string, request: HttpRequest, gateway: Gateway): HttpAnswer {
  const files = known.get(gateway) ?? new ConsoleFiles(gateway.world.disk)
  known.set(gateway, files)
  const file = files.file(name)
  if (file === null) throw notFound(`The console has no file ${name}`)
  const brotli = /\bbr\b/.test(request.header('accept-encoding') ?? '')
  return {
    type: file.type,
    bytes: brotli ? file.brotli : file.plain,
    headers: {
      // Another version of ottla may answer next time.
      'cache-control': 'no-cache',
      'content-security-policy': policy,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      vary: 'Accept-Encoding',
      ...(brotli ? { 'content-encoding': 'br' } : {}),
    },
  }
}

const accepts = { name: 'accept-encoding', in: 'header', description: '`br`', schema: { type: 'string' } } as const

const text = (description: string, type: string): { readonly 200: Response } => ({
  200: { description, content: { [type]: { schema: { type: 'string' } } } },
})

/** The console: a page for people, made of what all others have too. */
export const consoleRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/',
    operation: {
      operationId: 'console',
      summary: 'The console, for browsers',
      tags: ['console'],
      parameters: [accepts],
      responses: text('The page.', 'text/html'),
    },
    handle: (request, gateway) => show('index.html', request, gateway),
  },
  {
    method: 'GET',
    path: '/console/{file}',
    operation: {
      operationId: 'consoleFile',
      summary: 'What the console is made of',
      tags: ['console'],
      parameters: [
        { name: 'file', in: 'path', description: 'Its name.', schema: { type: 'string' }, example: 'app.js' },
        accepts,
      ],
      responses: text('The file.', 'application/octet-stream'),
    },
    handle: (request, gateway) => show(request.parameters.file!, request, gateway),
  },
]
