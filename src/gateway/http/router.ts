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

/** Paths whose way is remembered: most requests are for the same few. */
const mostKnown = 500

/** Finds the route for a method and a path. Words go before parameters: `/topics/mine` before `/topics/{topic}`. */
export class Router {
  readonly #root = step()
  /** By method, by path. Whoever gets a match must not change it. */
  readonly #known = new Map<string, Map<string, Match>>()
  #knownPaths = 0

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
    const known = this.#known.get(method)?.get(path)
    if (known !== undefined) return known
    const found = this.#find(method, path)
    // Those with more in their paths than a topic hardly come twice.
    if (Object.keys(found.parameters).length <= 1) this.#remember(method, path, found)
    return found
  }

  #remember(method: string, path: string, found: Match): void {
    if (this.#knownPaths >= mostKnown) {
      this.#known.clear()
      this.#knownPaths = 0
    }
    let paths = this.#known.get(method)
    if (paths === undefined) {
      paths = new Map()
      this.#known.set(method, paths)
    }
    paths.set(path, found)
    this.#knownPaths++
  }

  #find(method: string, path: string): Match {
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

/** What an operation takes, so that it is looked up once and not for each request. */
class Inputs {
  readonly #query = new Map<string, Parameter>()
  readonly #others: Parameter[] = []
  readonly #defaults: Record<string, unknown> = {}
  readonly #required: Parameter[] = []

  constructor(operation: Operation) {
    for (const parameter of operation.parameters ?? []) {
      const { name, schema, required } = parameter
      if (schema.default !== undefined) this.#defaults[name] = schema.default
      if (parameter.in === 'query') this.#query.set(name, parameter)
      else this.#others.push(parameter)
      if (parameter.in === 'query' && required === true) this.#required.push(parameter)
    }
  }

  of(request: Asked): Record<string, unknown> {
    const inputs = { ...this.#defaults }
    const { query } = request
    if (query.size > 0) this.#read(query, inputs)
    for (const parameter of this.#required) if (!query.has(parameter.name)) throw missing(parameter)
    for (const parameter of this.#others) {
      const { name } = parameter
      const text = parameter.in === 'path' ? (request.parameters[name] ?? null) : request.header(name)
      if (text !== null) inputs[name] = checked(parameter, text)
      else if (parameter.required === true) throw missing(parameter)
    }
    return inputs
  }

  /** Of a name that stands there twice the first one counts. */
  #read(query: URLSearchParams, inputs: Record<string, unknown>): void {
    const read: string[] = []
    for (const name of query.keys()) if (!this.#query.has(name)) throw this.#unknown(name)
    for (const [name, text] of query) {
      if (read.includes(name)) continue
      read.push(name)
      inputs[name] = checked(this.#query.get(name)!, text)
    }
  }

  #unknown(name: string): Problem {
    const names = [...this.#query.keys()]
    return badRequest(`There is no query parameter ${name} here${didYouMean(name, names)}`)
  }
}

type Asked = Pick<HttpRequest, 'parameters' | 'query' | 'header'>

const ofOperations = new WeakMap<Operation, Inputs>()

/** The parameters of an operation as they came with a request, checked. Throws Problem 400, for what nobody asked for too. */
export function inputsOf(operation: Operation, request: Asked): Record<string, unknown> {
  let inputs = ofOperations.get(operation)
  if (inputs === undefined) {
    inputs = new Inputs(operation)
    ofOperations.set(operation, inputs)
  }
  return inputs.of(request)
}

function checked(parameter: Parameter, text: string): unknown {
  const value = readParameter(text, parameter.schema)
  const fault = faultIn(value, parameter.schema, `The ${placeOf(parameter)}`)
  if (fault !== null) throw badRequest(fault)
  return value
}

const missing = (parameter: Parameter) => badRequest(`The ${placeOf(parameter)} is missing`)

const placeOf = ({ in: place, name }: Parameter) =>
  place === 'header' ? `header ${name}` : `${place} parameter ${name}`
