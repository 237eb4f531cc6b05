import { spawn } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Members } from '../machines/members.ts'

/** What the scenarios of command line tools get. */
export interface Place {
  bootstrap: string
  name(what: string): string
  /** Where the nodes are ours. */
  cluster?: Members
}

export type CommandScenario = (place: Place) => Promise<string | { skipped: string } | undefined>

export interface Finished {
  code: number | null
  out: string
  err: string
}

/** Runs a command to its end; rejects when it fails, or when `ms` have passed (then it is killed). */
export function run(
  command: string,
  args: readonly string[],
  {
    input,
    ms = 60_000,
    env,
    fails = false,
  }: { input?: string; ms?: number; env?: NodeJS.ProcessEnv; fails?: boolean } = {},
): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] })
    let out = ''
    let err = ''
    child.stdout.setEncoding('utf8').on('data', data => {
      out += data
    })
    child.stderr.setEncoding('utf8').on('data', data => {
      err += data
    })
    const say = (what: string) =>
      reject(new Error(`${args.join(' ')} ${what}\n${`${out.slice(-600)}\n${err.slice(-900)}`.trim()}`))
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      say(`took longer than ${ms} ms`)
    }, ms)
    child.on('error', reject)
    child.on('close', code => {
      clearTimeout(timer)
      if ((code !== 0) !== fails) say(`ended with ${code}`)
      else resolve({ code, out, err })
    })
    child.stdin.on('error', () => {})
    child.stdin.end(input ?? '')
  })
}

export const lines = (text: string) => text.split('\n').filter(line => line.trim() !== '')

/** For tools that want a file. */
export async function withFile<T>(text: string, use: (path: string) => Promise<T>): Promise<T> {
  const path = join(tmpdir(), `ottla-tools-${process.pid}-${Math.trunc(performance.now() * 1000)}`)
  writeFileSync(path, text)
  try {
    return await use(path)
  } finally {
    rmSync(path)
  }
}
