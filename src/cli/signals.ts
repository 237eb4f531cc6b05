const SIGNALS = { SIGTERM: 15, SIGINT: 2, SIGHUP: 1 } as const
export type Signal = keyof typeof SIGNALS

export interface Signals {
  /** The first signal that comes from now on. Before this is called a signal ends the process: nothing is under way yet. */
  first(): Promise<Signal>
}

/** Whoever asks twice is in a hurry; what was acknowledged is safe all the same. */
export function listenForSignals(): Signals {
  let tell: ((signal: Signal) => void) | null = null
  let asked: Signal | null = null
  const came = (name: Signal) => {
    if (tell !== null) {
      asked = name
      tell(name)
      tell = null
      return
    }
    // A terminal that goes says so more than once (the shell, the kernel), and a session that ends adds a SIGTERM.
    if (asked !== null && name === 'SIGHUP') return
    if (asked === 'SIGHUP') {
      asked = name
      return
    }
    process.exit(128 + SIGNALS[name])
  }
  for (const name of Object.keys(SIGNALS) as Signal[]) process.on(name, () => came(name))
  // Whoever started us with a channel (`ottla cluster up`) is gone when it ends.
  process.on('disconnect', () => came('SIGHUP'))
  // To listen must not keep us running when we are done.
  process.channel?.unref()
  return {
    first: () =>
      new Promise(resolve => {
        tell = resolve
      }),
  }
}
