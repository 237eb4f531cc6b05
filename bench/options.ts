import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { root } from './place.ts'
import { type Contestant, contestants } from './results.ts'

export interface Options {
  readonly rounds: number
  readonly only: RegExp
  /** Factor on record counts. */
  readonly scale: number
  readonly quick: boolean
  readonly contestants: readonly Contestant[]
  readonly port: number
  /** Raw results; page and chart are written beside it. */
  readonly out: string
  /** Only write page and chart anew. */
  readonly render: boolean
  /** A checkout of ottla with a build. */
  readonly ottlaRoot: string
  /** Profiles of ottla's brokers go there. */
  readonly profile: string | null
}

export const usage = `npm run bench -- [options]
  --rounds N         measurements of each workload (3)
  --only REGEX       just the workloads and start-up trials whose name matches
  --scale F          factor on record counts (1)
  --quick            a tenth of the records, one round, short trials; only shown, unless --out says where
  --contestants A,B  of ${contestants.join(', ')}
  --out FILE         raw results; the page (.md) and the chart (.svg) are written beside it (docs/benchmarks.json)
  --render           only write page and chart anew from the raw results
  --kafka-dir DIR    where Apache Kafka is kept (see test/peers/kafka)
  --ottla DIR        another checkout with a build, instead of this one
  --port N           the first of a hundred free ports (29992)
  --profile DIR      CPU profiles of ottla's brokers; what costs most is shown`

export function parseOptions(args: readonly string[]): Options | null {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string' },
      only: { type: 'string', default: '.' },
      scale: { type: 'string' },
      quick: { type: 'boolean', default: false },
      contestants: { type: 'string', default: contestants.join(',') },
      out: { type: 'string' },
      render: { type: 'boolean', default: false },
      'kafka-dir': { type: 'string' },
      ottla: { type: 'string', default: root },
      port: { type: 'string', default: '29992' },
      profile: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) return null
  // The scripts of test/peers/kafka read it.
  if (values['kafka-dir'] !== undefined) process.env.PEERS_HOME = resolve(values['kafka-dir'])
  const { quick, render, profile } = values
  return {
    rounds: positive('--rounds', values.rounds ?? (quick ? '1' : '3')),
    only: new RegExp(values.only),
    scale: positive('--scale', values.scale ?? (quick ? '0.1' : '1')),
    quick,
    contestants: contestants.filter(each => values.contestants.split(',').includes(each)),
    port: positive('--port', values.port),
    out: values.out === undefined ? (quick ? '' : join(root, 'docs/benchmarks.json')) : resolve(values.out),
    render,
    ottlaRoot: resolve(values.ottla),
    profile: profile === undefined ? null : resolve(profile),
  }
}

function positive(name: string, text: string): number {
  const value = Number(text)
  if (!(value > 0)) throw new Error(`${name} must be a number above 0, not ${text}`)
  return value
}
