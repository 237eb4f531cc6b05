import type { Lan } from '../../machines/lan.ts'
import type { Member } from '../../machines/members.ts'
import { controller, type Fault, leader, type Scene, shuffled } from './scene.ts'

type Cut = (lan: Lan, member: Member, others: readonly Member[]) => void | Promise<void>

interface More {
  readonly goesOn?: boolean
  readonly patience?: number
  readonly misled?: readonly string[]
}

type Pick = (scene: Scene) => Promise<Member>

function network(name: string, text: string, pick: Pick, cut: Cut, more: More = {}): Fault {
  return {
    name,
    goesOn: true,
    ...more,
    lasts: [5000, 9000],
    impossible: ({ lan }) => (lan === null ? 'it takes a network of machines: root, nft, veth' : null),
    async inject(scene) {
      const lan = scene.lan!
      const member = await pick(scene)
      const others = scene.members.all.filter(each => each !== member)
      await cut(lan, member, others)
      return { what: text.replace('#', `node ${member.node}`), heal: async () => lan.heal() }
    },
  }
}

const anyone = async (scene: Scene) => shuffled(scene)[0]!

// The clients of JavaScript ask any node that they are connected to who leads, so a node that is cut off from the cluster
// misleads them for as long as that lasts, with Apache Kafka, too.
const stale = { patience: 90_000, misled: ['kafkajs', 'platformatic'] }

const fromOthers: Cut = (lan, { node }, others) => {
  for (const other of others) {
    lan.cut(node, other.node)
    lan.cut(other.node, node)
  }
}

export const networkFaults: readonly Fault[] = [
  // Clients still reach it: it must not acknowledge what the others do not have. Whoever had sent it something waits for
  // an answer until his own request timeout, often 30 s.
  network('partition-leader', '# and the others do not hear each other', leader, fromOthers, stale),
  network('partition-controller', '# and the others do not hear each other', controller, fromOthers, stale),
  network(
    'isolate',
    '# is cut off from everybody',
    anyone,
    (lan, member, others) => {
      fromOthers(lan, member, others)
      lan.cutClients(member.node)
    },
    stale,
  ),
  network(
    'deaf',
    '# does not hear the others, they hear it',
    anyone,
    (lan, { node }, others) => {
      for (const other of others) lan.cut(other.node, node)
    },
    stale,
  ),
  network(
    'mute',
    'the others do not hear #, it hears them',
    anyone,
    (lan, { node }, others) => {
      for (const other of others) lan.cut(node, other.node)
    },
    stale,
  ),
  // Two nodes that do not hear each other, and a third that hears both.
  network(
    'bridge',
    '# and one of the others do not hear each other',
    anyone,
    (lan, { node }, others) => {
      const other = others[0]!
      lan.cut(node, other.node)
      lan.cut(other.node, node)
    },
    stale,
  ),
  network('loss', '# loses 20 of 100 packets', anyone, (lan, { node }) => lan.lose(node, 20), { goesOn: false }),
  network('delay', '# is 50 ms away from the others', anyone, (lan, { node }) => lan.delay(node, 50), stale),
]
