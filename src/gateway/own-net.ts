import { socketPair } from '../world/socket-pair.ts'
import type { Address, Net, Socket, Timers } from '../world/world.ts'

/** The node that doors belong to, as their clients see it. */
export interface OwnNode {
  /** Takes the other end of a connection that never leaves this process (`Broker.accept`). */
  accept(socket: Socket): void
  /** Where the cluster believes to find this node, its first listener first. */
  addresses(): readonly Address[]
}

/** The host from which doors come, for limits and descriptions. */
const doorsHost = '127.0.0.1'

/**
 * The network as doors use it: what goes to the own node stays in memory, everything else takes the real one. Which is
 * decided by the address alone, so a client follows leaders from node to node without knowing of the difference.
 */
export function ownNet(net: Net, timers: Pick<Timers, 'soon'>, own: OwnNode): Net {
  const isOwn = ({ host, port }: Address) => own.addresses().some(each => each.port === port && each.host === host)
  return {
    listen: () => Promise.reject(new Error('doors do not listen')),
    addresses: () => net.addresses(),
    connect: address => {
      if (!isOwn(address)) return net.connect(address)
      const [near, far] = socketPair(timers, { host: doorsHost, port: 0 }, { ...address })
      own.accept(far)
      return Promise.resolve(near)
    },
  }
}
