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

/** Records of one request. */
const atOnce = 20

/**
 * Sends numbers until the returned function is called, and tells the fate of each: the crash proof's writer.
 * `send` resolves to [partition, base offset] of what it was given. It must not give up while an answer may be lost:
 * kafkajs 2.2.4 and @platformatic/kafka 1.35.0 then give the next batch the same sequence numbers, and any Kafka takes
 * that for a repetition and acknowledges it without writing it. One partition at a time: when the leader of one of several
 * moves before a retry, kafkajs sends those again that were acknowledged, and leaves out some that were not.
 */
export function numbers({ partitions, size, from = 0 }, send, close) {
  let stopping = false
  const loop = async () => {
    for (let i = from; !stopping; i += atOnce) {
      const batch = Array.from({ length: atOnce }, (_, k) => i + k)
      const p = ((i - from) / atOnce) % partitions
      try {
        const [[, base]] = await send(batch.map(n => ({ partition: p, value: padded(n, size) })))
        for (const n of batch) emit({ event: 'fate', n, p, o: base + n - i })
      } catch (error) {
        for (const n of batch) emit({ event: 'fate', n, p, error: String(error) })
      }
      await sleep(5)
    }
    await close()
  }
  const ended = loop()
  return () => {
    stopping = true
    return ended
  }
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
