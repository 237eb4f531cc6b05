import { findOffsets } from '../../../client/offsets.ts'
import { Breath } from '../../breath.ts'
import type { Gateway } from '../../gateway.ts'
import { recordJson } from '../../record-json.ts'
import { type Criteria, type Matcher, matcherOf } from '../../search/criteria.ts'
import { type Span, scan } from '../../search/scan.ts'
import { topicParameter } from '../describing.ts'
import { badRequest, Problem } from '../problem.ts'
import type { HttpAnswer, HttpRequest, Operation, Outlet, Parameter, Route } from '../route.ts'
import { partitionParameter } from './record-schemas.ts'

/** Searches that a node runs at one time: each may read everything that there is. */
const mostSearches = 4
/** ms between two words about how far it is. */
const progressMs = 250
/** Offsets of one partition that are read before the next one has its turn. */
const window = 10_000

const text = (name: string, description: string): Parameter => ({
  name,
  in: 'query',
  description,
  schema: { type: 'string', minLength: 1, maxLength: 1000 },
})

const time = (name: string, description: string): Parameter => ({
  name,
  in: 'query',
  description,
  schema: { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER },
})

const operation: Operation = {
  operationId: 'searchRecords',
  summary: 'Search the records of a topic',
  description:
    'Reads all partitions and answers line by line (NDJSON): `{"record": {…}}` for what matches, `{"progress": {"scanned", "total", "found"}}` a few times a second, and `{"done": {…}}` at the end, or `{"problem": {…}}`. All criteria that are given must hold. A node runs four searches at one time.',
  tags: ['Records'],
  parameters: [
    topicParameter,
    { ...partitionParameter, description: 'Only this one' },
    text('key', 'Text that the key contains'),
    text('value', 'Text that the value contains'),
    text('header', '`name`: there is such a header; `name=text`: and it contains the text'),
    text('path', '`customer.id`: the value is JSON that has it; `items[*].sku=7`: and it is that'),
    { name: 'matchCase', in: 'query', description: 'Capitals matter', schema: { type: 'boolean', default: false } },
    time('from', 'Only records of this time or later, ms since 1970'),
    time('to', 'Only records before this time, ms since 1970'),
    {
      name: 'order',
      in: 'query',
      description: 'Which come first; between partitions only roughly',
      schema: { type: 'string', enum: ['newest', 'oldest'], default: 'newest' },
    },
    {
      name: 'limit',
      in: 'query',
      description: 'It ends when so many were found',
      schema: { type: 'integer', minimum: 1, maximum: 10_000, default: 100 },
    },
  ],
  responses: {
    200: { description: 'Lines of JSON', content: { 'application/x-ndjson': { schema: { type: 'string' } } } },
  },
}

interface Inputs extends Criteria {
  readonly partition?: number
  readonly from?: number
  readonly to?: number
  readonly order: 'newest' | 'oldest'
  readonly limit: number
}

const running = new WeakMap<Gateway, number>()

async function handle(request: HttpRequest, gateway: Gateway): Promise<HttpAnswer> {
  const inputs = request.inputs as unknown as Inputs
  const matches = matcherOf(inputs)
  if (matches === null) throw badRequest(`${inputs.path} is no path into JSON, such as items[0].sku=7`)
  const spans = await spansOf(gateway, request.parameters.topic!, inputs)
  const now = running.get(gateway) ?? 0
  if (now >= mostSearches) {
    const detail = `${mostSearches} searches run at this node: try again when one has ended, or ask another node`
    throw new Problem(503, 'too-many-searches', 'Too many searches', detail, {}, { 'retry-after': '5' })
  }
  running.set(gateway, now + 1)
  try {
    const outlet = request.respond(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' })
    await search(gateway, outlet, request.parameters.topic!, spans, matches, inputs).catch(error =>
      outlet.write(line('problem', { detail: (error as Error).message })),
    )
    return outlet.end()
  } finally {
    running.set(gateway, (running.get(gateway) ?? 1) - 1)
  }
}

const line = (name: string, value: unknown): string => `${JSON.stringify({ [name]: value })}\n`

async function search(
  gateway: Gateway,
  outlet: Outlet,
  topic: string,
  spans: readonly Span[],
  matches: Matcher,
  { order, limit }: Inputs,
): Promise<void> {
  const { clock } = gateway.world
  const total = spans.reduce((sum, { start, end }) => sum + Math.max(0, end - start), 0)
  const state = { scanned: 0, total, found: 0 }
  const breath = new Breath(gateway.world.timers)
  let told = clock.mono()
  const options = { topic, spans, matches, newestFirst: order === 'newest', window }
  for await (const { found, passed } of scan(gateway.cluster, options)) {
    state.scanned += passed
    for (const { partition, record } of found.slice(0, limit - state.found)) {
      state.found++
      const text = recordJson(topic, partition, record, 'json')
      if (!outlet.write(`{"record":${text}}\n`)) await outlet.drained()
      const pause = breath.after(text.length)
      if (pause !== null) await pause
    }
    if (state.found >= limit || outlet.gone || gateway.stopping.aborted) break
    if (clock.mono() - told < progressMs) continue
    told = clock.mono()
    outlet.write(line('progress', state))
  }
  outlet.write(line('done', { ...state, complete: state.scanned >= total }))
}

/** What is there now, within the times that were given. */
async function spansOf({ cluster, client }: Gateway, topic: string, { partition, from, to }: Inputs): Promise<Span[]> {
  const { partitions } = await client.topic(topic)
  if (partition !== undefined && partition >= partitions.length)
    throw badRequest(`${topic} has no partition ${partition}; it has ${partitions.length}`)
  const wanted = partitions.map(each => each.partition).filter(each => partition === undefined || each === partition)
  const ask = (start: 'earliest' | 'latest' | { timestamp: number }) =>
    findOffsets(
      cluster,
      wanted.map(each => ({ topic, partition: each, start })),
      'read_committed',
    )
  const latest = await ask('latest')
  const starts = await ask(from === undefined ? 'earliest' : { timestamp: from })
  const ends = to === undefined ? latest : await ask({ timestamp: to })
  return wanted.map((each, i) => {
    const end = latest[i]?.offset ?? 0
    // No record is that late.
    const bounded = (offset: number | undefined) => (offset === undefined || offset < 0 ? end : Math.min(offset, end))
    return { partition: each, start: bounded(starts[i]?.offset), end: bounded(ends[i]?.offset) }
  })
}

export const searches: readonly Route[] = [{ method: 'GET', path: '/topics/{topic}/search', operation, handle }]
