import { servedApis } from '../broker/served.ts'

/**
 * Loads what a node loads when somebody asks for it first: from then on its program's files may be replaced while it runs, as
 * package managers do. Not the doors: they are not worth their memory to those who never use them.
 */
export async function loadAll(roles: string): Promise<void> {
  if (roles === 'gateway') {
    const { proxiedApis } = await import('../gateway/kafka/served.ts')
    for (const { load } of proxiedApis) await load()
    return
  }
  for (const { load } of servedApis) await load()
  await import('../cluster/peers/network-peers.ts')
  await import('../security/node-login.ts')
}
