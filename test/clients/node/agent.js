// What both JavaScript agents share: commands come in as JSON lines, answers and events leave as JSON lines.
import { createInterface } from 'node:readline'

export const text = bytes => (bytes == null ? null : Buffer.from(bytes).toString('utf8'))
export const padded = (n, size) => String(n).padEnd(size, '.')
export const sleep = ms => new Promise(done => setTimeout(done, ms))

export function emit(message) {
  process.stdout.write(`${JSON.stringify(message)}\n`)
}

/** Tells of received records at once: before the client can commit them, so that a crash loses no news. */
export function got(partition, offset, value) {
  emit({ event: 'got', rows: [[partition, Number(offset), Number.parseInt(text(value), 10)]] })
}

export function serve(hello, verbs) {
  emit({ hello })
  const lines = createInterface({ input: process.stdin })
  lines.on('line', async line => {
    const command = JSON.parse(line)
    try {
      emit({ id: command.id, ok: true, ...(await verbs[command.do](command)) })
    } catch (error) {
      emit({ id: command.id, ok: false, error: String(error?.stack ?? error) })
    }
  })
  lines.on('close', () => process.exit(0))
  process.on('unhandledRejection', error => emit({ event: 'error', error: String(error?.stack ?? error) }))
}
