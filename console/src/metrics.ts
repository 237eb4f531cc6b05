/** Samples of a page in Prometheus' text format: name and labels to value. */
export type Samples = { name: string; labels: { [name: string]: string }; value: number }[]

const line = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/
const label = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g

export function parseMetrics(text: string): Samples {
  const samples: Samples = []
  for (const each of text.split('\n')) {
    const found = each.startsWith('#') ? null : line.exec(each)
    if (found === null) continue
    const labels: { [name: string]: string } = {}
    for (const [, name, value] of (found[2] ?? '').matchAll(label)) labels[name as string] = value as string
    const written = found[3] as string
    samples.push({ name: found[1] as string, labels, value: written === '+Inf' ? Infinity : Number(written) })
  }
  return samples
}

/** The sum over all labels that fit; null: there is none. */
export function sumOf(samples: Samples | null, name: string, labels: { [name: string]: string } = {}): number | null {
  const fitting = (samples ?? []).filter(
    each => each.name === name && Object.entries(labels).every(([key, value]) => each.labels[key] === value),
  )
  return fitting.length === 0 ? null : fitting.reduce((sum, each) => sum + each.value, 0)
}

/** The value below which a share of what a histogram counted since `before` lies; null: nothing was counted. */
export function quantile(
  samples: Samples | null,
  before: Samples | null,
  name: string,
  labels: { [name: string]: string },
  share: number,
): number | null {
  const counts = (of: Samples | null) => {
    const found = new Map<number, number>()
    for (const each of of ?? []) {
      if (each.name !== `${name}_bucket` || Object.entries(labels).some(([key, value]) => each.labels[key] !== value))
        continue
      const bound = each.labels.le === '+Inf' ? Infinity : Number(each.labels.le)
      found.set(bound, (found.get(bound) ?? 0) + each.value)
    }
    return found
  }
  const old = counts(before)
  const buckets = [...counts(samples)].map(([le, count]) => ({ le, count: count - (old.get(le) ?? 0) }))
  buckets.sort((a, b) => a.le - b.le)
  const total = buckets.at(-1)?.count ?? 0
  if (total <= 0) return null
  const at = buckets.findIndex(({ count }) => count >= share * total)
  const { le, count } = buckets[at]!
  const below = buckets[at - 1]
  if (le === Infinity) return below?.le ?? null
  const from = below?.le ?? 0
  const lower = below?.count ?? 0
  return count === lower ? le : from + ((share * total - lower) / (count - lower)) * (le - from)
}
