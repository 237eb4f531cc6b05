/**
 * The name most like `wrong` by edit distance (insert, drop, replace, swap neighbours), or null when none is near: more
 * than a third of the letters would have to change.
 */
export function nearest(wrong: string, names: Iterable<string>): string | null {
  const asked = wrong.toLowerCase().slice(0, 200)
  let best: string | null = null
  let bestDistance = Math.max(2, Math.floor(asked.length / 3)) + 1
  for (const name of names) {
    const distance = editDistance(asked, name.toLowerCase(), bestDistance)
    if (distance < bestDistance) {
      best = name
      bestDistance = distance
    }
  }
  return best
}

/** A half-sentence to put behind an error: ` (did you mean X?)`, or nothing. */
export function didYouMean(wrong: string, names: Iterable<string>): string {
  const name = nearest(wrong, names)
  return name === null ? '' : ` (did you mean ${name}?)`
}

/** Optimal string alignment distance; gives up with `limit` as soon as it cannot stay below. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit
  let before: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    let least = i
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let cost = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, before[j - 2]! + 1)
      row.push(cost)
      least = Math.min(least, cost)
    }
    if (least >= limit) return limit
    before = last
    last = row
  }
  return Math.min(limit, last[b.length]!)
}
