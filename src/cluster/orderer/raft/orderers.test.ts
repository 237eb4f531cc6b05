import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { KafkaError } from '../../../protocol/errors.ts'
import { RecordEncoder } from '../batches.ts'
import { metadataTopic, metadataTopicId } from '../metadata-log.ts'
import { snapshotName } from '../snapshot.ts'
import { type OrdererNode, Orderers } from './orderers.test.kit.ts'

let cluster: Orderers

async function until(what: string, holds: () => boolean, withinMs = 10_000): Promise<void> {
  const begun = performance.now()
  while (!holds()) {
    if (performance.now() - begun > withinMs) assert.fail(`${what}: not within ${withinMs} ms`)
    await new Promise(resolve => setTimeout(resolve, 2))
  }
}

const voters = (node: OrdererNode) => node.orderer.describe().voters.map(({ id }) => id)

async function three(): Promise<OrdererNode[]> {
  const nodes = [await cluster.start(1), await cluster.start(2), await cluster.start(3)]
  await until('three voters', () => nodes.every(node => voters(node).length === 3))
  return nodes
}

const everybodyHas = (names: string[]) =>
  until(`everybody has ${names.join()}`, () =>
    [...cluster.nodes.values()].every(({ records }) => records.join() === names.join()),
  )

describe('orderers that talk to each other', () => {
  let hold: NodeJS.Timeout

  beforeEach(() => {
    cluster = new Orderers()
    // Timers of a world hold no process open.
    hold = setInterval(() => {}, 1000)
  })

  afterEach(async () => {
    const failures = [...cluster.nodes.values()].flatMap(node => node.failures)
    await cluster.stop()
    clearInterval(hold)
    assert.deepEqual(failures, [])
  })

  it('stay at one voter of two nodes, and have three of three', async () => {
    const first = await cluster.start(1)
    const second = await cluster.start(2)
    first.append('a')
    await everybodyHas(['a'])
    assert.deepEqual(voters(first), [1])
    await until('an observer', () => first.orderer.describe().observers.length === 1)
    assert.equal(second.orderer.leader()?.id, 1)
    await cluster.start(3)
    await until('three voters', () => voters(second).join() === '1,2,3')
    first.append('b')
    await everybodyHas(['a', 'b'])
  })

  it('go on when the leader is killed, and it comes back', async () => {
    const nodes = await three()
    nodes[0]!.append('a')
    await everybodyHas(['a'])
    const begun = performance.now()
    const volume = await cluster.kill(1)
    await until('a new leader', () => cluster.leader() !== null)
    assert.ok(performance.now() - begun < 1000, 'nobody waits for a dead leader')
    cluster.leader()!.append('b')
    await everybodyHas(['a', 'b'])
    await cluster.start(1, volume)
    cluster.leader()!.append('c')
    await everybodyHas(['a', 'b', 'c'])
  })

  it('give the lead away without waiting', async () => {
    const nodes = await three()
    nodes[0]!.append('a')
    const begun = performance.now()
    await nodes[0]!.orderer.resign()
    const took = performance.now() - begun
    await until('somebody else leads', () => cluster.leader() !== null && cluster.leader() !== nodes[0], 300)
    assert.ok(took < 600, `${took} ms`)
    assert.throws(() => nodes[0]!.append('late'), /not the leader/)
    cluster.leader()!.append('b')
    await everybodyHas(['a', 'b'])
  })

  it('drop what a leader that was cut off could not commit', async () => {
    const nodes = await three()
    nodes[0]!.append('a')
    await everybodyHas(['a'])
    cluster.cut.add(1)
    nodes[0]!.append('lost', 'lost, too')
    await until('a new leader', () => cluster.leader() !== null)
    cluster.leader()!.append('b')
    await until('the others go on', () => nodes[1]!.records.join() === 'a,b' && nodes[2]!.records.join() === 'a,b')
    assert.equal(nodes[0]!.records.join(), 'a')
    await until('the old leader notices', () => !nodes[0]!.leading)
    cluster.cut.clear()
    await everybodyHas(['a', 'b'])
  })

  it('give a snapshot to who lacks too much', async () => {
    const first = await cluster.start(1)
    const names: string[] = []
    for (let round = 0; round < 4; round++) {
      for (let index = 0; index < 50; index++) names.push(`record ${round} ${index} ${'x'.repeat(50)}`)
      first.append(...names.slice(-50))
      await until('committed', () => first.records.length === names.length)
      first.compact()
      await until('kept', () => first.orderer.log.snapshot?.endOffset === first.orderer.describe().highWatermark)
    }
    assert.ok(first.orderer.log.startOffset > 0)
    await cluster.start(2)
    await cluster.start(3)
    await everybodyHas(names)
    first.append('more')
    await everybodyHas([...names, 'more'])
    const volume = await cluster.kill(2)
    await cluster.start(2, volume)
    await everybodyHas([...names, 'more'])
  })

  it('give the lead away when the disk of the leader cannot be read, to one that has what is wanted', async () => {
    for (const kind of ['rotten', 'unreadable'] as const) {
      const nodes = await three()
      const leader = cluster.leader()!
      const volume = await cluster.kill(3)
      leader.append('a')
      await until('committed', () => nodes[0]!.records.at(-1) === 'a' && nodes[1]!.records.at(-1) === 'a')
      leader.orderer.log.read = async () => {
        if (kind === 'unreadable') throw new KafkaError('CORRUPT_MESSAGE', 'There is no valid batch')
        const batch = new RecordEncoder().dataBatch([], 0)
        batch[batch.length - 1]! ^= 1
        return [batch]
      }
      await cluster.start(3, volume)
      await until('it has all', () => cluster.nodes.get(3)!.records.at(-1) === 'a')
      assert.notEqual(cluster.leader(), leader)
      await cluster.stop()
    }
  })

  it('give an older snapshot where the newest is damaged', async () => {
    const first = await cluster.start(1)
    for (let round = 0; round < 4; round++) {
      first.append(`record ${round}`)
      await until('committed', () => first.records.length === round + 1)
      first.compact()
      await until('kept', () => first.orderer.log.snapshot?.endOffset === first.orderer.describe().highWatermark)
    }
    const store = first.volume.open(metadataTopic, metadataTopicId, {} as never)
    const name = snapshotName(first.orderer.log.snapshot!)
    const bytes = Uint8Array.from(store.get(name)!)
    bytes[bytes.length - 1]! ^= 1
    await store.put(name, bytes)
    first.append('last')
    await cluster.start(2)
    await everybodyHas(['record 0', 'record 1', 'record 2', 'record 3', 'last'])
    assert.equal(store.get(name), null)
  })

  it('start again together', async () => {
    const nodes = await three()
    nodes[0]!.append('a')
    await everybodyHas(['a'])
    const volumes = [await cluster.kill(3), await cluster.kill(2), await cluster.kill(1)]
    await Promise.all([cluster.start(1, volumes[2]), cluster.start(2, volumes[1]), cluster.start(3, volumes[0])])
    await until('a leader', () => cluster.leader() !== null)
    cluster.leader()!.append('b')
    await everybodyHas(['a', 'b'])
  })

  it('tell each other where they are now', async () => {
    await three()
    for (const id of [3, 1]) await cluster.start(id, await cluster.kill(id), 'elsewhere')
    const hosts = (node: OrdererNode) => node.orderer.describe().voters.map(({ endpoints }) => endpoints[0]?.host)
    await until('all know', () =>
      [...cluster.nodes.values()].every(node => hosts(node).join() === 'elsewhere,node,elsewhere'),
    )
  })

  it('refuse to remove a voter without whom nothing could be decided', async () => {
    const nodes = await three()
    await cluster.kill(3)
    const leader = cluster.leader() ?? nodes[0]!
    const { directoryId } = nodes[1]!.orderer.voter
    await new Promise(resolve => setTimeout(resolve, 600))
    const refused = await leader.quorum.changes.remove({ id: 2, directoryId }, 300)
    assert.equal(refused.error, 'INVALID_REQUEST')
    assert.equal(
      refused.message,
      'Without node 2 the cluster would have no majority: of the 2 voters that are left, 3 cannot be reached. ' +
        'Bring them back or remove them first.',
    )
    const gone = await leader.quorum.changes.remove(nodes[2]!.orderer.voter, 1000)
    assert.equal(gone.error, null)
    assert.deepEqual(voters(leader), [1, 2])
  })

  it('say that it is done when the leader itself was removed', async () => {
    await three()
    for (const left of [2, 1]) {
      await until('a leader', () => cluster.leader() !== null)
      const leader = cluster.leader()!
      assert.deepEqual(await leader.quorum.changes.remove(leader.orderer.voter, 1000), { error: null, message: null })
      cluster.cut.add(leader.id)
      await until('the others know', () =>
        [...cluster.nodes.values()].every(node => cluster.cut.has(node.id) || voters(node).length === left),
      )
    }
  })

  it('let few wait for a change of the voters, and tell the rest so at once', async () => {
    const first = await cluster.start(1)
    const changes = Array.from({ length: 20 }, (_, index) => {
      const begun = performance.now()
      const stranger = { ...first.orderer.voter, id: 7, directoryId: `x${index}` }
      return first.quorum.changes.add(stranger, 300).then(({ error }) => ({ error, ms: performance.now() - begun }))
    })
    const all = await Promise.all(changes)
    assert.deepEqual(new Set(all.map(({ error }) => error)), new Set(['REQUEST_TIMED_OUT']))
    assert.equal(all.filter(({ ms }) => ms >= 290).length, 8)
    assert.equal(all.filter(({ ms }) => ms < 200).length, 12)
  })

  it('leave alone who was removed on purpose', async () => {
    const nodes = await three()
    const leader = cluster.leader()!
    const other = nodes.findLast(node => node !== leader)!
    const key = other.orderer.voter
    const left = [1, 2, 3].filter(id => id !== key.id)
    assert.equal((await leader.quorum.remove(key, 1000)).error, null)
    await until('it knows', () => other.orderer.vote.hasLeftQuorum)
    await new Promise(resolve => setTimeout(resolve, 1500))
    assert.deepEqual(voters(leader), left)
    leader.quorum.growth.added(key)
    assert.equal((await leader.quorum.changes.add(key, 1000)).error, null)
    assert.deepEqual(voters(leader).sort(), [1, 2, 3])
    await until('it is back', () => !other.orderer.vote.hasLeftQuorum)
  })

  it('leave alone the second of two as well: its removal is no growth that was taken back', async () => {
    const nodes = await three()
    const leader = cluster.leader()!
    const others = nodes.filter(node => node !== leader)
    for (const { orderer } of others) {
      assert.equal((await leader.quorum.remove(orderer.voter, 1000)).error, null)
    }
    await until('both know', () => others.every(({ orderer }) => orderer.vote.hasLeftQuorum))
    assert.deepEqual(voters(leader), [leader.id])
    // Others may come and vote with it.
    await cluster.start(4)
    await cluster.start(5)
    await until('three voters', () => voters(leader).length === 3)
    assert.deepEqual(voters(leader).sort(), [leader.id, 4, 5].sort())
  })

  it('leave alone the leader that was removed on purpose', async () => {
    await three()
    const leader = cluster.leader()!
    assert.equal((await leader.quorum.remove(leader.orderer.voter, 1000)).error, null)
    assert.equal(leader.orderer.vote.hasLeftQuorum, true)
    await until('a new leader', () => cluster.leader() !== null && cluster.leader() !== leader)
    await new Promise(resolve => setTimeout(resolve, 1300))
    assert.equal(voters(cluster.leader()!).length, 2)
  })

  it('have a drained node back that stays after all, also when its vote was taken by hand', async () => {
    await three()
    const leader = cluster.leader()!
    const { voter } = [...cluster.nodes.values()].findLast(node => node !== leader)!.orderer
    cluster.leaving.add(voter.id)
    assert.equal((await leader.quorum.remove(voter, 1000)).error, null)
    await new Promise(resolve => setTimeout(resolve, 1300))
    assert.equal(voters(leader).length, 2)
    cluster.leaving.clear()
    await until('it votes again', () => voters(leader).length === 3)
  })

  it('have one back whose place another had taken while it was dead, when that one dies', async () => {
    cluster.replaceAfterMs = 700
    await three()
    const leader = cluster.leader()!
    await cluster.start(4)
    const volume = await cluster.kill(3)
    await until('4 votes for 3', () => voters(leader).sort().join() === '1,2,4')
    const third = await cluster.start(3, volume)
    await until('it knows', () => voters(third).sort().join() === '1,2,4')
    await new Promise(resolve => setTimeout(resolve, 1300))
    assert.equal(third.orderer.vote.hasLeftQuorum, false)
    await cluster.kill(4)
    await until('3 votes for 4', () => voters(leader).sort().join() === '1,2,3')
  })

  it('finish what a leader that is gone has begun', async () => {
    cluster.replaceAfterMs = 700
    await three()
    const leader = cluster.leader()!
    const fourth = await cluster.start(4)
    await until('it has all', () => fourth.orderer.describe().highWatermark >= leader.orderer.describe().highWatermark)
    await new Promise(resolve => setTimeout(resolve, 100))
    assert.equal((await leader.quorum.changes.add(fourth.orderer.voter, 1000)).error, null)
    const [dead] = [2, 3].filter(id => id !== leader.id)
    await cluster.kill(dead!)
    const volume = await cluster.kill(leader.id)
    await cluster.start(leader.id, volume)
    await until('three voters', () => cluster.leader() !== null && voters(cluster.leader()!).length === 3)
    assert.equal(voters(cluster.leader()!).includes(dead!), false)
  })

  it('a directory that was wiped has no vote until it has caught up', async () => {
    await three()
    const leader = cluster.leader()!
    leader.append('a')
    await everybodyHas(['a'])
    const again = await leader.quorum.changes.add({ ...leader.orderer.voter, id: 2, directoryId: 'x' }, 50)
    assert.equal(again.error, 'DUPLICATE_VOTER')
    const stranger = await leader.quorum.changes.add({ ...leader.orderer.voter, id: 7, directoryId: 'x' }, 50)
    assert.equal(stranger.error, 'REQUEST_TIMED_OUT')
    assert.match(stranger.message ?? '', /does not fetch/)
  })
})
