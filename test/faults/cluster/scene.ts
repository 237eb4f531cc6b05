import type { Lan } from '../../machines/lan.ts'
import type { Member, Members } from '../../machines/members.ts'
import type { Status } from '../../machines/status.ts'
import type { LoopDisk } from '../loop-disk.ts'

/** Everything that a fault may touch. */
export interface Scene {
  readonly members: Members
  readonly status: Status
  /** Null: all nodes are on the loopback interface. */
  readonly lan: Lan | null
  /** By node id; null: the nodes share a disk. */
  readonly disks: ReadonlyMap<number, LoopDisk> | null
  /** Checkouts with a build, of which nodes may run either; empty: there is but one. */
  readonly versions: readonly string[]
  /** The topics under load. */
  readonly topics: readonly string[]
  /** A whole number below `n`, the same for the same seed. */
  roll(n: number): number
}

/** What was done, for the log. */
export interface Injected {
  readonly what: string
  heal(): Promise<void>
}

export interface Fault {
  readonly name: string
  /** A majority is left that can work: producers must go on while it lasts. */
  readonly goesOn: boolean
  /** How long a producer may need to go on, ms. Default: 30 s. */
  readonly patience?: number
  /** Clients that need not go on meanwhile. */
  readonly misled?: readonly string[]
  /** ms that it lasts at least and at most. */
  readonly lasts: readonly [number, number]
  /** Why it cannot be done in this scene; null: it can. */
  impossible(scene: Scene): string | null
  inject(scene: Scene): Promise<Injected>
}

export const memberOf = ({ members }: Scene, node: number): Member =>
  members.all.find(member => member.node === node) ?? members.all[0]!

/** The one that leads a partition under load. */
export async function leader(scene: Scene): Promise<Member> {
  const partitions = await scene.status.partitions(scene.topics[scene.roll(scene.topics.length)]!)
  return memberOf(scene, partitions[scene.roll(partitions.length)]!.leader)
}

export async function controller(scene: Scene): Promise<Member> {
  const node = await scene.status.controller()
  if (node < 0) throw new Error('nobody says who the controller is')
  return memberOf(scene, node)
}

/** Not the controller. */
export async function follower(scene: Scene): Promise<Member> {
  const not = await scene.status.controller()
  const others = scene.members.all.filter(({ node }) => node !== not)
  return others[scene.roll(others.length)]!
}

/** In an order by chance. */
export function shuffled(scene: Scene): Member[] {
  const left = [...scene.members.all]
  const order: Member[] = []
  while (left.length > 0) order.push(...left.splice(scene.roll(left.length), 1))
  return order
}
