import type { Series } from '../live.ts'

interface PlotProps {
  title: string
  series: Series
  /** How a value is written. */
  show: (value: number) => string
}

const width = 320
const height = 84

/** The course of one figure, with its last and its highest value. */
export function Plot({ title, series: { times, values }, show }: PlotProps) {
  const last = values.at(-1)
  const most = Math.max(...values, 0)
  const top = most === 0 ? 1 : most * 1.1
  const begin = times[0] ?? 0
  const span = Math.max(1, (times.at(-1) ?? 1) - begin)
  const points = values.map((value, i) => {
    const x = (((times[i] as number) - begin) / span) * width
    return `${x.toFixed(1)},${(height - (value / top) * height).toFixed(1)}`
  })
  const drawn = points.length > 1
  return (
    <figure class="plot">
      <figcaption>
        <span>{title}</span>
        <strong>{last === undefined ? '–' : show(last)}</strong>
      </figcaption>
      <svg
        viewBox={`0 0 ${width} ${height}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${title}: ${last === undefined ? 'nothing yet' : show(last)}`}
      >
        {drawn && <polygon points={`0,${height} ${points.join(' ')} ${width},${height}`} />}
        {drawn && <polyline points={points.join(' ')} />}
      </svg>
      <small>{drawn ? `highest ${show(most)} in ${Math.round(span / 1000)} s` : 'drawn while this page is open'}</small>
    </figure>
  )
}
