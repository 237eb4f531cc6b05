import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** ottla as its users meet it: real processes. Tests run from the project's folder. */
const bin = 'bin/ottla.js'

/** Nothing of the machine's own environment may configure what is tested. */
const env = { PATH: process.env.PATH, HOME: process.env.HOME, TZ: 'UTC' }

export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly input?: string
  readonly env?: Record<string, string>
  readonly cwd?: string
  /** Called with everything that was printed so far. */
  readonly watch?: (stdout: string, child: ChildProcess) => void
}

export function ottla(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const child = launch(args, options)
  let stdout = ''
  let stderr = ''
  child.stdout!.setEncoding('utf8').on('data', text => {
    stdout += text
    options.watch?.(stdout, child)
  })
  child.stderr!.setEncoding('utf8').on('data', text => {
    stderr += text
  })
  child.stdin!.on('error', () => {})
  child.stdin!.end(options.input ?? '')
  return new Promise(resolve => child.once('close', code => resolve({ code, stdout, stderr })))
}

export interface RunningOttla {
  readonly bootstrap: string
  readonly child: ChildProcess
  /** All that it logged. */
  log(): string
  stop(signal?: NodeJS.Signals): Promise<number | null>
}

/** Resolves when the broker says that it is ready; rejects with what it said instead. */
export function startOttla(args: readonly string[], options: RunOptions = {}): Promise<RunningOttla> {
  const child = launch(args, options)
  let text = ''
  const closed = new Promise<number | null>(resolve => child.once('close', code => resolve(code)))
  return new Promise((resolve, reject) => {
    const look = (more: string) => {
      text += more
      const ready = text.split('\n').find(line => line.includes('"message":"ready"'))
      if (ready === undefined) return
      resolve({
        bootstrap: JSON.parse(ready).bootstrap,
        child,
        log: () => text,
        stop(signal = 'SIGTERM') {
          child.kill(signal)
          return closed
        },
      })
    }
    child.stdout!.setEncoding('utf8').on('data', look)
    child.stderr!.setEncoding('utf8').on('data', more => {
      text += more
    })
    closed.then(code => reject(new Error(`ended with ${code}: ${text}`)))
  })
}

function launch(args: readonly string[], options: RunOptions): ChildProcess {
  return spawn(process.execPath, [join(process.cwd(), bin), ...args], {
    env: { ...env, ...options.env },
    cwd: options.cwd ?? process.cwd(),
    stdio: 'pipe',
  })
}

/** A folder that is gone after the test. */
export function scratch(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'ottla-cli-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}
