import { knownEventDesk } from '../../events/of-gateway.ts'
import type { Gateway } from '../../gateway.ts'
import { knownPuller } from '../../leases/puller.ts'
import { GatewayScraper } from '../../metrics/at-gateway.ts'
import { contentTypes, formatFor } from '../../metrics/page.ts'
import { Scraper } from '../../metrics/scrape.ts'
import type { Route } from '../route.ts'

type AnyScraper = Pick<Scraper, 'scrape'>

const scrapers = new WeakMap<Gateway, AnyScraper>()

function scraper(gateway: Gateway): AnyScraper {
  const known = scrapers.get(gateway)
  if (known !== undefined) return known
  const made = newScraper(gateway)
  scrapers.set(gateway, made)
  return made
}

function newScraper(gateway: Gateway): AnyScraper {
  const { node, metrics: doors, config, client } = gateway
  const events = () => knownEventDesk(gateway)
  const puller = () => knownPuller(gateway)
  if (node.broker === null) return new GatewayScraper({ proxy: node.proxy!, doors, events, puller })
  return new Scraper({
    broker: node.broker,
    doors,
    cluster: () => Promise.resolve(client.cluster),
    events,
    puller,
    limits: () => {
      const topics = config.get('metrics.max.topics')
      return { topics, groups: config.get('metrics.max.groups'), partitions: 10 * topics }
    },
  })
}

const text = { schema: { type: 'string' } } as const

/** For Prometheus, and whatever reads its format. */
export const metrics: readonly Route[] = [
  {
    method: 'GET',
    path: '/metrics',
    operation: {
      operationId: 'metrics',
      summary: 'Metrics for Prometheus',
      description:
        'In the text format 0.0.4, or as OpenMetrics 1.0.0 where `Accept` asks for it. The names are those of kafka_exporter and of the usual JMX rules as far as they go, and `ottla_…` beyond. Scrape every node: each shows the partitions that it leads and the groups that it coordinates.',
      tags: ['Metrics'],
      parameters: [{ name: 'accept', in: 'header', description: 'Which format', schema: { type: 'string' } }],
      responses: {
        200: {
          description: 'All metrics of this node',
          content: { 'text/plain': text, 'application/openmetrics-text': text },
        },
      },
    },
    async handle(request, gateway) {
      const format = formatFor(request.header('accept'))
      return { bytes: await scraper(gateway).scrape(format), type: contentTypes[format], headers: { vary: 'Accept' } }
    },
  },
]
