import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'

export interface Column<Row> {
  title: string
  cell: (row: Row) => ComponentChildren
  /** What it is sorted by; left out: it cannot be. */
  by?: (row: Row) => number | string
  numeric?: boolean
}

interface TableProps<Row> {
  columns: Column<Row>[]
  rows: Row[]
  keyOf: (row: Row) => string
  /** What is said when there is no row. */
  empty: ComponentChildren
}

/** Rows that can be sorted. On a phone each row is a small list. */
export function Table<Row>({ columns, rows, keyOf, empty }: TableProps<Row>) {
  const [sorted, setSorted] = useState<{ title: string; down: boolean } | null>(null)
  const by = columns.find(({ title }) => title === sorted?.title)?.by
  const shown =
    by === undefined
      ? rows
      : [...rows].sort((a, b) => {
          const [one, other] = [by(a), by(b)]
          return (one < other ? -1 : one > other ? 1 : 0) * (sorted?.down ? -1 : 1)
        })
  if (rows.length === 0) return <p class="empty">{empty}</p>
  return (
    <table>
      <thead>
        <tr>
          {columns.map(({ title, by, numeric }) => (
            <th
              key={title}
              class={numeric ? 'number' : ''}
              aria-sort={sorted?.title === title ? (sorted.down ? 'descending' : 'ascending') : 'none'}
            >
              {by === undefined ? (
                title
              ) : (
                <button
                  type="button"
                  class="quiet"
                  onClick={() => setSorted({ title, down: sorted?.title === title && !sorted.down })}
                >
                  {title} {sorted?.title === title ? (sorted.down ? '↓' : '↑') : ''}
                </button>
              )}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {shown.map(row => (
          <tr key={keyOf(row)}>
            {columns.map(({ title, cell, numeric }) => (
              <td key={title} data-title={title} class={numeric ? 'number' : ''}>
                {cell(row)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  )
}
