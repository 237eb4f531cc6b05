import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { DelayProxy } from './delay-proxy.ts'

// A network of machines on one machine: this process lives in a private network namespace, the room, and each node in one
// of its own, a cable apart. All packets between two nodes are forwarded by the room, where nft drops what a fault wants
// dropped. Nothing leaks out, and nothing is left when the processes are gone.

/** Where a node lives. */
export interface Host {
  /** 1, 2, … */
  readonly node: number
  readonly address: string
  /** Put before a command, it runs there. */
  readonly inside: readonly string[]
}

const roomMark = 'TEST_ROOM'
const subnet = (node: number) => `10.77.${node}`
const addressOf = (node: number) => `${subnet(node)}.2`
/** What the node sees its own clients come from. */
const gatewayOf = (node: number) => `${subnet(node)}.1`

const sh = (command: string, ...args: string[]) => execFileSync(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })

/** Why there cannot be a network of our own here; null when there can. */
export function noLan(): string | null {
  if (process.getuid?.() !== 0) return 'only root can make networks'
  for (const tool of ['nft', 'ip', 'unshare', 'nsenter']) {
    if (spawnSync(tool, ['--version']).error) return `${tool} is not installed`
  }
  const trial = 'ip link set lo up && ip link add one type veth peer name two && nft add table inet t'
  const { status } = spawnSync('unshare', ['-n', 'sh', '-c', trial], { stdio: 'ignore' })
  return status === 0 ? null : 'network namespaces, veth or nft do not work here'
}

/**
 * Goes on in a private network namespace, where it can be made: runs this program again in there and ends with its exit
 * code. Returns in the child, and where it cannot be made. What needs the internet must be done before.
 */
export function enterRoom(): void {
  if (process.env[roomMark] !== undefined || noLan() !== null) return
  const words = ['-n', process.execPath, ...process.execArgv, ...process.argv.slice(1)]
  const { status } = spawnSync('unshare', words, { stdio: 'inherit', env: { ...process.env, [roomMark]: 'yes' } })
  process.exit(status ?? 1)
}

/** True in a namespace of our own. */
export const inRoom = (): boolean => process.env[roomMark] !== undefined

export class Lan {
  readonly hosts: readonly Host[]
  readonly #port: number
  readonly #holders: ChildProcess[] = []
  readonly #proxies: DelayProxy[] = []

  private constructor(nodes: number, port: number) {
    this.#port = port
    this.hosts = Array.from({ length: nodes }, (_, i) => this.#plug(i + 1))
  }

  /** Call it in the room only. `port`: where every node listens. */
  static async open(nodes: number, port: number): Promise<Lan> {
    sh('ip', 'link', 'set', 'lo', 'up')
    writeFileSync('/proc/sys/net/ipv4/ip_forward', '1')
    for (const line of [
      'add table inet faults',
      'add chain inet faults between { type filter hook forward priority 0 ; }',
      'add chain inet faults from { type filter hook input priority 0 ; }',
      'add chain inet faults to { type filter hook output priority 0 ; }',
      'add chain inet faults detour { type nat hook prerouting priority -100 ; }',
    ])
      sh('nft', line)
    const lan = new Lan(nodes, port)
    await sleep(50)
    return lan
  }

  /** One more machine. */
  #plug(node: number): Host {
    const holder = spawn('unshare', ['-n', 'sleep', 'infinity'], { stdio: 'ignore' })
    this.#holders.push(holder)
    process.on('exit', () => holder.kill('SIGKILL'))
    const pid = String(holder.pid)
    // The namespace is there a moment after the process.
    const own = sh('readlink', '/proc/self/ns/net').toString()
    while (sh('readlink', `/proc/${pid}/ns/net`).toString() === own) sh('sleep', '0.01')
    const [cable, plug] = [`room${node}`, `node${node}`]
    sh('ip', 'link', 'add', cable, 'type', 'veth', 'peer', 'name', plug)
    sh('ip', 'link', 'set', plug, 'netns', pid)
    sh('ip', 'addr', 'add', `${gatewayOf(node)}/30`, 'dev', cable)
    sh('ip', 'link', 'set', cable, 'up')
    const inside = ['nsenter', '-t', pid, '-n'] as const
    const there = (...words: string[]) => sh(inside[0], ...inside.slice(1), ...words)
    there('ip', 'link', 'set', 'lo', 'up')
    there('ip', 'addr', 'add', `${addressOf(node)}/30`, 'dev', plug)
    there('ip', 'link', 'set', plug, 'up')
    there('ip', 'route', 'add', 'default', 'via', gatewayOf(node))
    return { node, address: addressOf(node), inside }
  }

  /** Packets from one node to another are dropped. */
  cut(from: number, to: number): void {
    this.#rule('between', `ip saddr ${addressOf(from)} ip daddr ${addressOf(to)} drop`)
  }

  /** Nothing between this node and the clients. */
  cutClients(node: number): void {
    this.#rule('from', `ip saddr ${addressOf(node)} drop`)
    this.#rule('to', `ip daddr ${addressOf(node)} drop`)
  }

  /** So many of a hundred packets from and to this node are lost, those of clients too. */
  lose(node: number, percent: number): void {
    const some = `numgen random mod 100 < ${percent} drop`
    this.#rule('between', `ip saddr ${addressOf(node)} ${some}`)
    this.#rule('between', `ip daddr ${addressOf(node)} ${some}`)
    this.#rule('from', `ip saddr ${addressOf(node)} ${some}`)
    this.#rule('to', `ip daddr ${addressOf(node)} ${some}`)
  }

  /** All that other nodes say to this one, and its answers, take `ms` longer each way. Connections begin anew. */
  async delay(node: number, ms: number): Promise<void> {
    const others = this.hosts.filter(host => host.node !== node)
    for (const { node: other } of others) {
      const proxy = new DelayProxy({ host: addressOf(node), port: this.#port }, ms)
      this.#proxies.push(proxy)
      const port = await proxy.listen(gatewayOf(other))
      const way = `ip saddr ${addressOf(other)} ip daddr ${addressOf(node)} tcp dport ${this.#port}`
      this.#rule('detour', `${way} dnat ip to ${gatewayOf(other)}:${port}`)
      // Connections that are open go on past the detour: they are reset.
      this.#rule('between', `${way} reject with tcp reset`)
    }
  }

  /** The network is whole again. */
  heal(): void {
    for (const chain of ['between', 'from', 'to', 'detour']) sh('nft', `flush chain inet faults ${chain}`)
    for (const proxy of this.#proxies.splice(0)) proxy.close()
  }

  close(): void {
    this.heal()
    for (const holder of this.#holders) holder.kill('SIGKILL')
  }

  #rule(chain: string, rule: string): void {
    sh('nft', `add rule inet faults ${chain} ${rule}`)
  }
}
