import { inspect } from 'node:util'

/** Colours, or none. */
export interface Paint {
  bold(text: string): string
  dim(text: string): string
  red(text: string): string
  green(text: string): string
  yellow(text: string): string
  cyan(text: string): string
}

type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan'

export function createPaint(colours: boolean): Paint {
  // Not styleText: some releases of Node 20 ask themselves whether there is a terminal, and we have decided.
  const style = (name: Style) => (text: string) => {
    const [on, off] = inspect.colors[name]!
    return colours && text !== '' ? `\x1b[${on}m${text}\x1b[${off}m` : text
  }
  return {
    bold: style('bold'),
    dim: style('dim'),
    red: style('red'),
    green: style('green'),
    yellow: style('yellow'),
    cyan: style('cyan'),
  }
}

/** https://no-color.org and https://force-color.org. */
export function wantsColours(env: Readonly<Record<string, string | undefined>>, isTerminal: boolean): boolean {
  if (env.NO_COLOR !== undefined && env.NO_COLOR !== '') return false
  if (env.FORCE_COLOR !== undefined) return env.FORCE_COLOR !== '0'
  return isTerminal && env.TERM !== 'dumb'
}
