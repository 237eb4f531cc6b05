import { spawn } from 'node:child_process'
import { adopt, release } from './place.ts'

export interface CommandOptions {
  /** ms after which the command is killed and counts as failed. */
  readonly timeoutMs: number
  readonly onLine?: (line: string) => void
}

/** Runs a program and gives what it printed. Rejects with the end of its output when it fails or takes too long. */
export function run(command: string, args: readonly string[], options: CommandOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    const { pid } = child
    if (pid !== undefined) adopt(pid)
    const output = { out: '', err: '' }
    let late = false
    const timer = setTimeout(() => {
      late = true
      child.kill('SIGKILL')
    }, options.timeoutMs)
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output.out += text
      if (options.onLine !== undefined) for (const line of text.split('\n')) if (line !== '') options.onLine(line)
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      output.err = (output.err + text).slice(-10_000)
    })
    child.on('error', reject)
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      if (pid !== undefined) release(pid)
      if (code === 0) return resolve(output.out)
      const why = late ? `stopped after ${options.timeoutMs} ms` : `ended with ${code ?? signal}`
      reject(new Error(`${args[0] ?? command} ${why}: ${tail(output.out)} ${tail(output.err)}`))
    })
  })
}

const tail = (text: string) => text.trim().split('\n').slice(-4).join(' | ')
