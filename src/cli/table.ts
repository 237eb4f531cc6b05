import { stripVTControlCharacters } from 'node:util'
import type { Terminal } from './terminal.ts'

/**
 * Columns side by side, numbers to the right. In a pipe: without heading, separated by tabs, so that `cut` and `awk` like it.
 */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  { paint, isTerminal }: Pick<Terminal, 'paint' | 'isTerminal'>,
): string {
  if (!isTerminal) return rows.map(row => `${row.map(cell => stripVTControlCharacters(cell)).join('\t')}\n`).join('')
  const widths = head.map((title, i) => Math.max(width(title), ...rows.map(row => width(row[i] ?? ''))))
  const numbers = (i: number) =>
    rows.every(row => /^(-|[+-]?\d[\d.]*)?$/.test(plain(row[i] ?? ''))) &&
    rows.some(row => /\d/.test(plain(row[i] ?? '')))
  const right = head.map((_, i) => numbers(i))
  const line = (row: readonly string[]) =>
    `${row
      .map((cell, i) => pad(cell, widths[i]!, right[i]!))
      .join('  ')
      .trimEnd()}\n`
  return line(head.map(title => paint.dim(title))) + rows.map(line).join('')
}

const plain = (cell: string) => stripVTControlCharacters(cell)

function pad(cell: string, to: number, right: boolean): string {
  const space = ' '.repeat(Math.max(0, to - width(cell)))
  return right ? space + cell : cell + space
}

/** Columns on a terminal. East Asian letters and pictures take two, marks that sit on a letter none. */
export function width(text: string): number {
  let columns = 0
  for (const letter of plain(text)) columns += letterWidth(letter.codePointAt(0)!)
  return columns
}

function letterWidth(code: number): number {
  if (code < 0x20 || (code >= 0x300 && code <= 0x36f) || code === 0x200d || (code >= 0xfe00 && code <= 0xfe0f)) return 0
  const wide =
    (code >= 0x1100 && code <= 0x115f) ||
    (code >= 0x2e80 && code <= 0xa4cf) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe30 && code <= 0xfe6f) ||
    (code >= 0xff00 && code <= 0xff60) ||
    (code >= 0x1f300 && code <= 0x1faff)
  return wide ? 2 : 1
}
