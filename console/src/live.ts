import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { ask, send } from './api.ts'
import { parseMetrics, type Samples } from './metrics.ts'

export interface Live<T> {
  data: T | null
  error: Error | null
  reload: () => void
}

/** Asks again and again, while the page is looked at. Null: there is nothing to ask. */
export function useLive<T>(path: string | null, everyMs = 3000): Live<T> {
  return useRepeated(path, everyMs, (path, signal) => ask<T>(path, { signal }))
}

export const useMetrics = (everyMs = 2000): Live<Samples> =>
  useRepeated('/metrics', everyMs, async (path, signal) => parseMetrics(await (await send(path, { signal })).text()))

function useRepeated<T>(
  path: string | null,
  everyMs: number,
  run: (path: string, signal: AbortSignal) => Promise<T>,
): Live<T> {
  const [state, setState] = useState<{ data: T | null; error: Error | null }>({ data: null, error: null })
  const [round, setRound] = useState(0)
  // `run` is a new function each time, and does the same.
  useEffect(() => {
    if (path === null) return
    const aborter = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    const next = async () => {
      if (!document.hidden) {
        try {
          const data = await run(path, aborter.signal)
          if (aborter.signal.aborted) return
          setState({ data, error: null })
        } catch (error) {
          if (aborter.signal.aborted) return
          setState(before => ({ ...before, error: error as Error }))
        }
      }
      if (!aborter.signal.aborted) timer = setTimeout(next, everyMs)
    }
    void next()
    return () => {
      aborter.abort()
      clearTimeout(timer)
    }
  }, [path, everyMs, round])
  // What belongs to another path must not be shown under this one.
  useEffect(() => () => setState({ data: null, error: null }), [path])
  const reload = useCallback(() => setRound(before => before + 1), [])
  return { ...state, reload }
}

/** The last values of something, with the times (ms) at which they were seen. */
export interface Series {
  times: number[]
  values: number[]
}

const mostPoints = 240

/** Keeps what `value` was each time that `beat` changed. */
export function useSeries(value: number | null, beat: unknown): Series {
  const series = useRef<Series>({ times: [], values: [] })
  const last = useRef<unknown>(undefined)
  if (value !== null && last.current !== beat) {
    last.current = beat
    const { times, values } = series.current
    const from = Math.max(0, times.length - mostPoints + 1)
    series.current = { times: [...times.slice(from), Date.now()], values: [...values.slice(from), value] }
  }
  return series.current
}

/** How fast a counter grows, per second; null until it was seen twice. */
export function useRate(value: number | null, beat: unknown): number | null {
  const state = useRef<{ beat: unknown; value: number; at: number; rate: number | null } | null>(null)
  if (value !== null && state.current?.beat !== beat) {
    const before = state.current
    const at = performance.now()
    const rate = before === null || value < before.value ? null : ((value - before.value) * 1000) / (at - before.at)
    state.current = { beat, value, at, rate }
  }
  return state.current?.rate ?? null
}
