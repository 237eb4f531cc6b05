// Loaded into the broker's process (`--import`) by hostile.ts: how long the event loop stood still, and how much memory there is.
// Counted is the processor's time between two ticks of a short timer, so that a busy machine does not look like a stall.
const everyMs = 5

export interface Sight {
  /** The longest stall since the last sight, ms. */
  readonly stallMs: number
  readonly rss: number
}

const cpuMs = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

let stallMs = 0
let wall = performance.now()
let cpu = cpuMs()

setInterval(() => {
  const [nowWall, nowCpu] = [performance.now(), cpuMs()]
  const busy = Math.min(nowWall - wall, nowCpu - cpu)
  if (busy > stallMs) stallMs = busy
  wall = nowWall
  cpu = nowCpu
}, everyMs).unref()

process.on('message', () => {
  const sight: Sight = { stallMs, rss: process.memoryUsage.rss() }
  process.send!(sight)
  stallMs = 0
})
process.channel?.unref()
