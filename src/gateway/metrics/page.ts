/**
 * The two text formats in which Prometheus reads metrics: its own (0.0.4) and OpenMetrics (1.0.0). They differ in the names
 * of counters' families, in escapes, and in the last line.
 */
export type MetricsFormat = 'prometheus' | 'openmetrics'

export const contentTypes: Readonly<Record<MetricsFormat, string>> = {
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
}

/** OpenMetrics for who asks for it, the older format for everybody else. */
export function formatFor(accept: string | null): MetricsFormat {
  for (const wish of (accept ?? '').toLowerCase().split(',')) {
    const [type = '', ...parameters] = wish.split(';').map(part => part.trim())
    const version = parameters.find(each => each.startsWith('version='))?.slice('version='.length)
    const refused = parameters.some(each => /^q=0(\.0*)?$/.test(each))
    if (type !== 'application/openmetrics-text' || refused) continue
    if (version === undefined || version === '1.0.0' || version === '0.0.1') return 'openmetrics'
  }
  return 'prometheus'
}

export type Labels = Readonly<Record<string, string | number>>

/** Labels as they stand on the page, for who uses the same ones many times. */
export type PreparedLabels = string & { readonly '~prepared': true }

export const prepared = (labels: Labels): PreparedLabels => labelText(labels) as PreparedLabels

/** One family of metrics: values that have a name and a meaning in common. */
export class Family {
  readonly #lines: string[]
  readonly #name: string

  constructor(lines: string[], name: string) {
    this.#lines = lines
    this.#name = name
  }

  add(value: number, labels?: Labels | PreparedLabels): this {
    const shown = typeof labels === 'string' ? labels : labelText(labels)
    this.#lines.push(`${this.#name}${shown} ${valueText(value)}`)
    return this
  }
}

/** A histogram's buckets, cumulated here: `counts[i]` were above `bounds[i - 1]`, and at most `bounds[i]`; the last: above all. */
export interface HistogramValue {
  readonly bounds: readonly number[]
  readonly counts: ArrayLike<number>
  readonly sum: number
}

export class HistogramFamily {
  readonly #lines: string[]
  readonly #name: string

  constructor(lines: string[], name: string) {
    this.#lines = lines
    this.#name = name
  }

  add({ bounds, counts, sum }: HistogramValue, labels: Labels = {}): this {
    let count = 0
    for (let i = 0; i <= bounds.length; i++) {
      count += counts[i] ?? 0
      const le = i === bounds.length ? '+Inf' : boundText(bounds[i] as number)
      this.#lines.push(`${this.#name}_bucket${labelText({ ...labels, le })} ${count}`)
    }
    this.#lines.push(`${this.#name}_sum${labelText(labels)} ${valueText(sum)}`)
    this.#lines.push(`${this.#name}_count${labelText(labels)} ${count}`)
    return this
  }
}

/** One answer to a scrape. Families come in the order in which they are begun; each may be begun once. */
export class MetricsPage {
  readonly #format: MetricsFormat
  readonly #families = new Map<string, string[]>()

  constructor(format: MetricsFormat) {
    this.#format = format
  }

  gauge(name: string, help: string): Family {
    return new Family(this.#begin(name, 'gauge', help), name)
  }

  /** `name` ends with `_total`. */
  counter(name: string, help: string): Family {
    if (!name.endsWith('_total')) throw new Error(`the counter ${name} does not end with _total`)
    return new Family(this.#begin(name, 'counter', help), name)
  }

  histogram(name: string, help: string): HistogramFamily {
    return new HistogramFamily(this.#begin(name, 'histogram', help), name)
  }

  /** Families without values are left out. */
  text(): string {
    const parts: string[] = []
    for (const lines of this.#families.values()) if (lines.length > 2) parts.push(lines.join('\n'))
    if (this.#format === 'openmetrics') parts.push('# EOF')
    return `${parts.join('\n')}\n`
  }

  #begin(name: string, type: string, help: string): string[] {
    const open = this.#format === 'openmetrics'
    // What OpenMetrics calls a counter's family: two that differ in no more than the ending would be one.
    const stem = type === 'counter' ? name.slice(0, -'_total'.length) : name
    if (this.#families.has(stem)) throw new Error(`the metric ${stem} is there twice`)
    const escaped = help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
    const shown = open ? escaped.replaceAll('"', '\\"') : escaped
    const family = open ? stem : name
    const lines = [`# HELP ${family} ${shown}`, `# TYPE ${family} ${type}`]
    this.#families.set(stem, lines)
    return lines
  }
}

function labelText(labels: Labels | undefined): string {
  if (labels === undefined) return ''
  const parts: string[] = []
  for (const name in labels) parts.push(`${name}="${escapeLabel(String(labels[name]))}"`)
  return parts.length === 0 ? '' : `{${parts.join(',')}}`
}

function escapeLabel(value: string): string {
  return /[\\"\n]/.test(value) ? value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n') : value
}

function valueText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf'
  if (value === Number.NEGATIVE_INFINITY) return '-Inf'
  return String(value)
}

/** OpenMetrics wants bounds as floats: `1.0`. Both formats read them so. */
function boundText(bound: number): string {
  return Number.isInteger(bound) ? `${bound}.0` : String(bound)
}
