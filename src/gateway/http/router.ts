import { didYouMean } from '../../config/nearest.ts'
import { badRequest, notFound, Problem } from './problem.ts'
import type { HttpRequest, Method, Operation, Parameter, Route } from './route.ts'
import { faultIn, readParameter } from './schema.ts'

export interface Match {
  readonly route: Route
  /** `GET /topics/{topic}`. */
  readonly name: string
  readonly parameters: Readonly<Record<string, string>>
}

/** One segment of all paths. */
interface Step {
  readonly words: Map<string, Step>
  /** What a segment may be besides the words, under any name. */
  any: Step | null
  readonly routes: Map<Method, { readonly route: Route; readonly name: string }>
}

const step = (): Step => ({ words: new Map(), any: null, routes: new Map() })

/** Finds the route for a method and a path. Words go before parameters: `/topics/mine` before `/topics/{topic}`. */
export class Router {
  readonly #root = step()

  constructor(routes: Iterable<Route>) {
    for (const route of routes) this.#add(route)
  }

  #add(route: Route): void {
    let at = this.#root
    for (const segment of segmentsOf(route.path)) {
      if (segment.startsWith('{')) {
        at.any ??= step()
        at = at.any
        continue
      }
      const next = at.words.get(segment) ?? step()
      at.words.set(segment, next)
      at = next
    }
    if (at.routes.has(route.method)) throw new Error(`${route.method} ${route.path} is there twice`)
    at.routes.set(route.method, { route, name: `${route.method} ${route.path}` })
  }

  /** Throws Problem 404, 405 (with what is allowed), 400. HEAD is a GET whose body is not sent. */
  find(method: string, path: string): Match {
    const segments = segmentsOf(path)
    const at = walk(this.#root, segments, 0)
    if (at === null) throw notFound(`Nothing is at ${path}; /openapi.json says what there is`)
    const found = at.routes.get((method === 'HEAD' ? 'GET' : method) as Method)
    if (found !== undefined) return { ...found, parameters: parametersOf(found.route.path, segments) }
    const allowed = methodsOf(at).join(', ')
    const detail = `${path} takes ${allowed}, not ${method}`
    throw new Problem(405, 'method-not-allowed', 'This cannot be done here', detail, {}, { allow: allowed })
  }

  /** What a path takes; none: there is no such path. */
  methods(path: string): readonly string[] {
    const at = walk(this.#root, segmentsOf(path), 0)
    return at === null ? [] : methodsOf(at)
  }
}

function methodsOf({ routes }: Step): string[] {
  const methods: string[] = [...routes.keys()]
  if (routes.has('GET')) methods.push('HEAD')
  return [...methods, 'OPTIONS']
}

/** Without the first slash, and the last. */
function segmentsOf(path: string): string[] {
  return path.replace(/^\//, '').replace(/\/$/, '').split('/')
}

function walk(at: Step, segments: readonly string[], from: number): Step | null {
  const segment = segments[from]
  if (segment === undefined) return at.routes.size > 0 ? at : null
  const next = at.words.get(segment)
  const found = next === undefined ? null : walk(next, segments, from + 1)
  if (found !== null || at.any === null || segment === '') return found
  return walk(at.any, segments, from + 1)
}

const nothing: Readonly<Record<string, string>> = {}

function parametersOf(template: string, segments: readonly string[]): Readonly<Record<string, string>> {
  if (!template.includes('{')) return nothing
  const parameters: Record<string, string> = {}
  for (const [i, name] of segmentsOf(template).entries()) {
    if (name.startsWith('{')) parameters[name.slice(1, -1)] = decoded(segments[i] ?? '')
  }
  return parameters
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    throw badRequest(`${segment} in the path is not percent-encoded UTF-8`)
  }
}

/** The parameters of an operation as they came with a request, checked. Throws Problem 400, for what nobody asked for too. */
export function inputsOf(
  operation: Operation,
  request: Pick<HttpRequest, 'parameters' | 'query' | 'header'>,
): Record<string, unknown> {
  const inputs: Record<string, unknown> = {}
  const { parameters = [] } = operation
  const asked = request.query
  for (const name of asked.keys()) {
    if (parameters.some(each => each.in === 'query' && each.name === name)) continue
    const names = parameters.filter(each => each.in === 'query').map(each => each.name)
    throw badRequest(`There is no query parameter ${name} here${didYouMean(name, names)}`)
  }
  for (const parameter of parameters) {
    const text = textOf(parameter, request)
    if (text === null) {
      if (parameter.required === true) throw badRequest(`The ${placeOf(parameter)} is missing`)
      if (parameter.schema.default !== undefined) inputs[parameter.name] = parameter.schema.default
      continue
    }
    const value = readParameter(text, parameter.schema)
    const fault = faultIn(value, parameter.schema, `The ${placeOf(parameter)}`)
    if (fault !== null) throw badRequest(fault)
    inputs[parameter.name] = value
  }
  return inputs
}

const placeOf = ({ in: place, name }: Parameter) =>
  place === 'header' ? `header ${name}` : `${place} parameter ${name}`

function textOf({ in: place, name }: Parameter, request: Pick<HttpRequest, 'parameters' | 'query' | 'header'>) {
  if (place === 'path') return request.parameters[name] ?? null
  return place === 'query' ? request.query.get(name) : request.header(name)
}
