import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'

/** A documented line, as a shell runs it. */
export interface Run {
  readonly output: () => string
  readonly code: Promise<number | null>
  /** All that comes on its standard input. */
  input(text: string): void
  /** What it has printed when that matches. */
  until(pattern: RegExp, ms?: number): Promise<string>
  end(signal?: NodeJS.Signals): Promise<number | null>
}

/** Runs a line in a shell, in the project's folder; nothing of the machine's own environment configures it. */
export function run(line: string, env: Readonly<Record<string, string>> = {}): Run {
  const all = { PATH: process.env.PATH, HOME: process.env.HOME, ...env }
  const child = spawn('sh', ['-c', line], { env: all, stdio: ['pipe', 'pipe', 'pipe'] })
  let text = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', more => {
      text += more
    })
  child.stdin.on('error', () => {})
  const code = new Promise<number | null>(resolve => child.once('close', resolve))
  return {
    output: () => text,
    code,
    input: what => void child.stdin.end(what),
    async until(pattern, ms = 10_000) {
      for (const end = performance.now() + ms; !pattern.test(text); await new Promise(go => setTimeout(go, 10)))
        assert.ok(performance.now() < end && child.exitCode === null, `${pattern} did not come: ${text}`)
      return text
    },
    end(signal = 'SIGINT') {
      child.kill(signal)
      return code
    },
  }
}
