import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join, resolve } from 'node:path'
import { joinTokenName, newJoinToken } from '../../security/join-token.ts'
import { letGoOfTerminal } from '../../world/node-terminal.ts'
import { Failure } from '../failure.ts'
import { invocation } from '../invocation.ts'
import { listenForSignals } from '../signals.ts'
import type { Terminal } from '../terminal.ts'
import { parseCount } from '../when.ts'

interface UpFlags {
  readonly nodes: string
  readonly port: string
  readonly data: string
  readonly memory?: boolean
  readonly set?: readonly string[]
}

/** One process of the cluster. */
interface Member {
  readonly id: number
  readonly process: ChildProcess
  readonly ready: Promise<string>
}

const mostNodes = 20
/** Beside the nodes' folders: the port of the first node when they were last all ready. */
const portName = 'port'

/** Runs nodes as processes of this machine until a signal ends it. */
export async function up(flags: UpFlags, terminal: Terminal): Promise<void> {
  const count = parseCount('--nodes', flags.nodes, 1, mostNodes)
  const firstPort = parseCount('--port', flags.port, 1, 65_536 - count)
  const stopped = listenForSignals().first()
  terminal.outputMayBeLost()
  const token = flags.memory === true ? newJoinToken(terminal.world.random) : tokenIn(flags.data, terminal)
  const addresses = Array.from({ length: count }, (_, i) => `127.0.0.1:${firstPort + i}`)
  const before = flags.memory === true ? -1 : lastPort(flags.data, terminal)
  const moved = flags.memory !== true && before !== firstPort
  /**
   * The first one begins the cluster, also when it was interrupted as it did so; who is new joins it. Who comes back to other
   * ports must be told where the others are now.
   */
  const seedsOf = (id: number): readonly string[] => {
    const fresh = isNew(id, flags, terminal)
    if (id === 1 && (fresh || before < 0)) return []
    if (fresh) return addresses.slice(0, 1)
    return moved ? addresses.filter((_, i) => i !== id - 1) : []
  }
  const members = addresses.map((_, i) => start(i + 1, firstPort + i, seedsOf(i + 1), token, flags, terminal))
  const down = async () => {
    // One after another: whoever goes hands over what he leads to those who stay.
    for (const { process } of [...members].reverse()) await stop(process)
  }
  try {
    const ready = Promise.all(members.map(member => member.ready))
    const signal = await Promise.race([ready.then(() => null), stopped])
    if (signal === null) {
      if (moved) terminal.world.disk.writeFile(join(flags.data, portName), `${firstPort}\n`)
      announce(await ready, members, flags, terminal)
      await stopped
    }
  } finally {
    await down()
  }
  letGoOfTerminal()
}

function tokenIn(data: string, { world }: Terminal): string {
  const kept = join(data, 'node-1', joinTokenName)
  return world.disk.exists(kept) ? world.disk.readFile(kept).toString('utf8').trim() : newJoinToken(world.random)
}

/** −1: not known. */
function lastPort(data: string, { world }: Terminal): number {
  const path = join(data, portName)
  return world.disk.exists(path) ? Number(world.disk.readFile(path).toString('utf8')) : -1
}

const folderOf = (id: number, { data }: UpFlags): string => join(data, `node-${id}`)

const isNew = (id: number, flags: UpFlags, { world }: Terminal): boolean =>
  flags.memory === true || !world.disk.exists(join(folderOf(id, flags), 'meta.properties'))

function start(
  id: number,
  port: number,
  seeds: readonly string[],
  token: string,
  flags: UpFlags,
  terminal: Terminal,
): Member {
  const program = process.argv[1]
  if (program === undefined) throw new Failure('ottla cluster up needs to know its own program')
  const args = [
    ...['start', '--port', String(port)],
    ...(flags.memory === true ? ['--memory'] : ['--data', folderOf(id, flags)]),
    ...['--set', `node.id=${id}`, '--set', 'logging.format=json'],
    // They are here to stay, and need not show for a while that they are.
    ...['--set', 'quorum.voter.probation.ms=0'],
    ...(seeds.length > 0 ? ['--join', seeds.join(',')] : []),
    ...(flags.set ?? []).flatMap(pair => ['--set', pair]),
  ]
  const child = spawn(process.execPath, [program, ...args], {
    env: { ...terminal.env, OTTLA_TOKEN: token },
    // Nothing is said over the last one: its end tells a node that we are gone, however that came.
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // Ctrl-C is for us: we stop them in order.
    detached: true,
  })
  return { id, process: child, ready: untilReady(id, child, terminal) }
}

/** Shows what a node has to say that matters; fulfilled with its address. Rejects when it ends before. */
function untilReady(id: number, child: ChildProcess, terminal: Terminal): Promise<string> {
  const name = terminal.paint.dim(`node ${id}`)
  return new Promise((ready, failed) => {
    lines(child.stderr, line => terminal.stderr.write(`${name} ${line}\n`))
    lines(child.stdout, line => {
      const { level, message, bootstrap } = parsed(line)
      if (message === 'ready') ready(bootstrap ?? '')
      else if (level === 'warn' || level === 'error') terminal.print(`${name} ${message}\n`)
    })
    child.on('error', failed)
    child.on('exit', (code, signal) => {
      failed(new Failure(`node ${id} ended before it was ready`))
      if (code !== 0) terminal.print(`${name} has ended (${signal ?? `exit code ${code}`})\n`)
    })
  })
}

interface LogLine {
  readonly level?: string
  readonly message?: string
  readonly bootstrap?: string
}

function parsed(line: string): LogLine {
  try {
    return JSON.parse(line) as LogLine
  } catch {
    return { level: 'warn', message: line }
  }
}

function lines(stream: NodeJS.ReadableStream | null, use: (line: string) => void): void {
  let rest = ''
  stream?.setEncoding('utf8')
  stream?.on('data', (text: string) => {
    const all = (rest + text).split('\n')
    rest = all.pop() ?? ''
    for (const line of all) use(line)
  })
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGTERM')
  await once(child, 'exit')
}

function announce(addresses: readonly string[], members: readonly Member[], flags: UpFlags, terminal: Terminal): void {
  const { bold, cyan, dim, green } = terminal.paint
  const bootstrap = addresses.join(',')
  const data = flags.memory === true ? 'in memory' : cyan(resolve(flags.data))
  const text = [
    `${green('●')} ${bold(`a cluster of ${members.length} nodes`)} is ready for Kafka clients`,
    `  bootstrap  ${cyan(bootstrap)}`,
    `  data       ${data}`,
    `  processes  ${members.map(({ process }) => process.pid).join(', ')}${dim('  kill one, and see')}`,
    `  try        ${bold(`${invocation(terminal.env)} nodes -b ${addresses[0]}`)}`,
  ]
  terminal.print(terminal.isTerminal ? `${text.join('\n')}\n` : `${JSON.stringify({ message: 'ready', bootstrap })}\n`)
}
