import type { MetricsFormat } from './page.ts'

/** A strict reader of both text formats: whatever Prometheus would refuse or misread is an error here. For tests. */
export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface ParsedFamily {
  readonly name: string
  readonly type: string
  readonly help: string
  readonly samples: readonly Sample[]
}

const metricName = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/
const labelName = /^[a-zA-Z_][a-zA-Z0-9_]*$/
const floats = /^(?:[+-]Inf|NaN|[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)$/

interface Open {
  name: string
  type: string | null
  help: string | null
  samples: Sample[]
}

/** Throws with the line that is wrong. */
export function parseMetrics(text: string, format: MetricsFormat): ReadonlyMap<string, ParsedFamily> {
  if (!text.endsWith('\n')) throw new Error('the last line does not end')
  const lines = text.slice(0, -1).split('\n')
  if (format === 'openmetrics' && lines.pop() !== '# EOF') throw new Error('the last line is not # EOF')
  const families = new Map<string, Open>()
  const seen = new Set<string>()
  let current = null as Open | null
  for (const [i, line] of lines.entries()) {
    const fail = (reason: string): never => {
      throw new Error(`line ${i + 1}: ${reason}: ${line}`)
    }
    const meta = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line)
    if (meta !== null) {
      const [, kind, name = '', rest = ''] = meta
      if (!metricName.test(name)) fail('no name of a metric')
      if (current?.name !== name) {
        if (families.has(name)) fail('a family that was ended before')
        current = { name, type: null, help: null, samples: [] }
        families.set(name, current)
      }
      if (current.samples.length > 0) fail('it stands behind samples')
      if (kind === 'HELP') {
        if (current.help !== null) fail('a second HELP')
        current.help = unescaped(
          rest,
          format === 'openmetrics' ? /^(?:[^\\"\n]|\\[\\n"])*$/ : /^(?:[^\\\n]|\\[\\n])*$/,
          fail,
        )
      } else {
        if (current.type !== null) fail('a second TYPE')
        if (!['counter', 'gauge', 'histogram', 'summary'].includes(rest)) fail('no type')
        current.type = rest
      }
      continue
    }
    if (line.startsWith('#') || line.trim() === '') fail('neither metadata nor a sample')
    const sample = parseSample(line, fail)
    if (current === null) return fail('a sample without a family')
    if (!belongs(sample, current, format)) fail(`not a sample of the ${current.type} ${current.name}`)
    const key = `${sample.name} ${JSON.stringify(Object.entries(sample.labels).sort())}`
    if (seen.has(key)) fail('a series that was there before')
    seen.add(key)
    current.samples.push(sample)
  }
  const parsed = new Map<string, ParsedFamily>()
  for (const { name, type, help, samples } of families.values()) {
    if (type === null || help === null || samples.length === 0) throw new Error(`${name} is not complete`)
    if (type === 'histogram') checkHistogram(name, samples)
    parsed.set(name, { name, type, help, samples })
  }
  return parsed
}

function belongs({ name, value }: Sample, family: Open, format: MetricsFormat): boolean {
  if (family.type === 'counter')
    return name === (format === 'openmetrics' ? `${family.name}_total` : family.name) && value >= 0
  if (family.type === 'gauge') return name === family.name
  return ['_bucket', '_sum', '_count'].some(suffix => name === family.name + suffix)
}

function parseSample(line: string, fail: (reason: string) => never): Sample {
  const name = /^[^\s{]+/.exec(line)?.[0] ?? ''
  if (!metricName.test(name)) fail('no name of a metric')
  const labels: Record<string, string> = {}
  let at = name.length
  if (line[at] === '{') {
    at++
    while (line[at] !== '}') {
      const pair = /^([^=]+)="((?:[^\\"\n]|\\[\\n"])*)"/.exec(line.slice(at))
      if (pair === null) return fail('no pair of a label and its value')
      const [whole, label = '', value = ''] = pair
      if (!labelName.test(label) || label in labels) fail(`the label ${label}`)
      labels[label] = unescaped(value, /.*/, fail)
      at += whole.length
      if (line[at] === ',') at++
      else if (line[at] !== '}') fail('neither a comma nor the end of the labels')
    }
    at++
  }
  const rest = line.slice(at)
  if (rest[0] !== ' ' || !floats.test(rest.slice(1))) fail('no value')
  const text = rest.slice(1)
  const value = text.endsWith('Inf') ? (text[0] === '-' ? -1 : 1) * Number.POSITIVE_INFINITY : Number(text)
  return { name, labels, value }
}

function unescaped(text: string, form: RegExp, fail: (reason: string) => never): string {
  if (!form.test(text)) fail('a wrong escape')
  return text.replace(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char))
}

/** Buckets are cumulative, end with +Inf, and that is the count. */
function checkHistogram(name: string, samples: readonly Sample[]): void {
  const series = new Map<string, { buckets: [number, number][]; count: number | null; sum: number | null }>()
  for (const { name: sample, labels, value } of samples) {
    const { le, ...others } = labels
    const key = JSON.stringify(others)
    const one = series.get(key) ?? { buckets: [], count: null, sum: null }
    series.set(key, one)
    if (sample.endsWith('_bucket')) one.buckets.push([le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le), value])
    else if (sample.endsWith('_count')) one.count = value
    else one.sum = value
  }
  for (const [key, { buckets, count, sum }] of series) {
    const rising = buckets.every(([le, n], i) => i === 0 || (le > buckets[i - 1]![0] && n >= buckets[i - 1]![1]))
    const [le, all] = buckets.at(-1) ?? [0, 0]
    if (!rising || le !== Number.POSITIVE_INFINITY || all !== count || sum === null)
      throw new Error(`the histogram ${name} of ${key} makes no sense`)
  }
}
