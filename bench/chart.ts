import type { Results } from './results.ts'
import { type Ratio, type Row, summarize, type Table } from './summary.ts'

const labelWidth = 215
const columnWidth = 215
const gap = 18
const rowHeight = 22
const width = labelWidth + 3 * (columnWidth + gap)
/** The axis is logarithmic and ends at these ratios. */
const most = 12

interface Column {
  readonly title: string
  readonly hint: string
  readonly pick: (row: Row) => Ratio | null
}

const columns: readonly Column[] = [
  { title: 'broker CPU per record', hint: 'left is better', pick: row => row.cpu },
  { title: 'records/s', hint: 'right is better', pick: row => row.rate },
  { title: 'p99 latency', hint: 'left is better', pick: row => row.p99 },
]

/** Ratios ottla / Apache Kafka as bars from the line at 1, the target as a tick. */
export function chart(results: Results): string {
  const tables = summarize(results).filter(({ rows }) => rows.length > 0)
  const body: string[] = []
  let y = 8
  for (const each of tables) {
    body.push(...panel(each, y))
    y += panelHeight(each)
  }
  const { machine } = results
  const note = `ottla ${machine.ottla}, Apache Kafka ${machine.kafka}; medians of ${results.rounds} rounds; ${machine.cores} cores, Node.js ${machine.node.slice(1)}. A tick is the target.`
  body.push(text(0, y + 8, note, 'note'))
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${y + 20}" width="${width}" height="${y + 20}" role="img" aria-label="Ratios of ottla to Apache Kafka by workload">
<style>${style}</style>
${body.join('\n')}
</svg>
`
}

const style = `
text { font: 12px system-ui, sans-serif; fill: #24292f }
.title { font-weight: 600; font-size: 14px } .note, .hint { fill: #6e7781; font-size: 11px } .end { text-anchor: end }
.pass { fill: #2da44e } .miss { fill: #d4762c } .free { fill: #8c959f }
.one { stroke: #6e7781; stroke-width: 1 } .target { stroke: #24292f; stroke-width: 2 } .band { fill: #8c959f; opacity: .1 }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .note, .hint { fill: #8d96a0 } .target { stroke: #e6edf3 } }
`

const headHeight = 50
const panelHeight = ({ rows }: Table) => headHeight + rows.length * rowHeight + 22

function panel({ comparison, rows }: Table, top: number): string[] {
  const out = [text(0, top + 14, comparison.title, 'title')]
  const bottom = top + headHeight + rows.length * rowHeight
  for (const [i, { title, hint, pick }] of columns.entries()) {
    const left = labelWidth + i * (columnWidth + gap)
    out.push(text(left, top + 34, title, ''), text(left + columnWidth, top + 34, hint, 'hint end'))
    out.push(`<rect class="band" x="${left}" y="${top + 42}" width="${columnWidth}" height="${bottom - top - 40}"/>`)
    out.push(line(left + position(1), top + 42, bottom + 2, 'one'))
    for (const [k, row] of rows.entries()) out.push(...bar(pick(row), left, top + headHeight + k * rowHeight))
  }
  for (const [k, row] of rows.entries()) {
    out.push(text(labelWidth - 10, top + headHeight + k * rowHeight + 14, row.workload, 'end'))
  }
  return out
}

function bar(ratio: Ratio | null, left: number, y: number): string[] {
  if (ratio === null) return []
  const [from, to] = [position(1), position(ratio.value)].toSorted((a, b) => a - b) as [number, number]
  const kind = ratio.passed === null ? 'free' : ratio.passed ? 'pass' : 'miss'
  const length = Math.max(1, to - from)
  const out = [
    `<rect class="${kind}" x="${fixed(left + from)}" y="${y + 3}" width="${fixed(length)}" height="14" rx="2"/>`,
  ]
  if (ratio.bound !== null) out.push(line(left + position(ratio.bound), y + 1, y + 19, 'target'))
  // On the far side of the line at 1, where there is room; but not over the target's tick: then at the end of the bar.
  const shown = `${ratio.value.toFixed(2)}×`
  const leftward = ratio.value < 1
  const inTheWay = ratio.bound !== null && ratio.bound < 1 !== leftward
  const [x, side] = inTheWay ? [position(ratio.value), leftward] : [position(1), !leftward]
  out.push(side ? text(left + x - 5, y + 14, shown, 'end') : text(left + x + 5, y + 14, shown, ''))
  return out
}

/** px from the left of a column; ratios beyond the ends are drawn at the ends. */
function position(ratio: number): number {
  const reach = Math.log(most)
  const at = Math.min(reach, Math.max(-reach, Math.log(ratio)))
  return Math.round(((at + reach) / (2 * reach)) * columnWidth * 10) / 10
}

const fixed = (value: number) => value.toFixed(1)
const line = (x: number, y1: number, y2: number, name: string) =>
  `<line class="${name}" x1="${fixed(x)}" y1="${y1}" x2="${fixed(x)}" y2="${y2}"/>`
const text = (x: number, y: number, words: string, name: string) =>
  `<text x="${fixed(x)}" y="${y}" class="${name}">${words.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</text>`
