import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { dice } from '../../machine/testing.ts'
import { balanced } from './balanced.ts'
import { Counts, type Placement, type PlacementRequest } from './placement.ts'
import { ring } from './ring.ts'

const topicId = (name: string) => name.padEnd(22, 'x')

function request(more: Partial<PlacementRequest> & { racks?: readonly (string | null)[] } = {}): PlacementRequest {
  const { racks = [null, null, null], ...rest } = more
  return {
    brokers: racks.map((rack, index) => ({ id: index + 1, rack })),
    topicId: topicId('foo'),
    firstPartition: 0,
    partitions: 1,
    replicationFactor: 1,
    random: dice(1),
    all: new Counts(),
    topic: new Counts(),
    ...rest,
  }
}

function counted(placed: readonly (readonly number[])[]): Counts {
  const counts = new Counts()
  for (const replicas of placed) counts.add(replicas)
  return counts
}

/** What every placement must hold. */
function contract(name: string, placement: Placement): void {
  describe(name, () => {
    it('gives each partition so many different brokers', () => {
      const random = dice(7)
      for (let round = 0; round < 300; round++) {
        const racks = Array.from({ length: 1 + random.int(9) }, () => [null, 'a', 'b', 'c'][random.int(4)]!)
        const replicationFactor = 1 + random.int(racks.length)
        const partitions = 1 + random.int(20)
        const placed = placement.place(request({ racks, partitions, replicationFactor, random }))
        assert.equal(placed.length, partitions)
        for (const replicas of placed) {
          assert.equal(replicas.length, replicationFactor)
          assert.equal(new Set(replicas).size, replicationFactor)
          for (const id of replicas) assert.ok(id >= 1 && id <= racks.length)
          const used = new Set(replicas.map(id => racks[id - 1]))
          assert.equal(used.size, Math.min(replicationFactor, new Set(racks).size), `racks of ${replicas}`)
        }
      }
    })

    it('spreads leaders and copies of a topic evenly', () => {
      for (const brokers of [2, 3, 4, 5, 7]) {
        const partitions = brokers * 6
        const replicationFactor = Math.min(3, brokers)
        const racks = Array.from({ length: brokers }, () => null)
        const load = counted(placement.place(request({ racks, partitions, replicationFactor })))
        for (let id = 1; id <= brokers; id++) {
          assert.equal(load.leaders(id), 6, `leaders of ${id} among ${brokers}`)
          const copies = load.replicas(id)
          assert.ok(Math.abs(copies - 6 * replicationFactor) <= 2, `${copies} copies on ${id} among ${brokers}`)
        }
      }
    })

    it('goes on where a topic ends', () => {
      const first = placement.place(request({ partitions: 4 }))
      const more = placement.place(
        request({ firstPartition: 4, partitions: 2, topic: counted(first), all: counted(first) }),
      )
      const load = counted([...first, ...more])
      if (placement === ring) for (const id of [1, 2, 3]) assert.equal(load.leaders(id), 2)
    })

    it('gives the same to the same dice', () => {
      const once = placement.place(request({ partitions: 9, replicationFactor: 2 }))
      assert.deepEqual(placement.place(request({ partitions: 9, replicationFactor: 2 })), once)
    })
  })
}

contract('the ring', ring)
contract('the balanced placement', balanced)

describe('the ring', () => {
  it('spreads many small topics, too', () => {
    const all = new Counts()
    for (let topic = 0; topic < 90; topic++) {
      for (const replicas of ring.place(request({ topicId: topicId(`t${topic}`), replicationFactor: 2, all }))) {
        all.add(replicas)
      }
    }
    for (const id of [1, 2, 3]) {
      assert.ok(all.leaders(id) <= 33, `${all.leaders(id)} leaders on ${id}`)
      assert.ok(all.replicas(id) <= 66, `${all.replicas(id)} copies on ${id}`)
    }
  })

  it('changes for who comes, and hardly for anybody else', () => {
    const racks = (count: number) => Array.from({ length: count }, () => null)
    const place = (brokers: number) => ring.place(request({ racks: racks(brokers), partitions: 900 })).flat()
    const before = place(9)
    const after = place(10)
    const moved = before.filter((id, index) => after[index] !== id).length
    // A tenth has to; that nobody holds more than its share moves some others.
    assert.ok(moved >= 90 && moved <= 270, `${moved} of 900 moved`)
  })

  it('lays copies out as an arc', () => {
    const brokers = [1, 2, 3, 4, 5]
    for (let partition = 0; partition < 50; partition++) {
      const racks = brokers.map(() => null)
      const [replicas] = ring.place(request({ racks, firstPartition: partition, replicationFactor: 3 }))
      const away = (id: number) => ring.distance(topicId('foo'), partition, id)
      const line = brokers.sort((a, b) => away(a) - away(b))
      assert.deepEqual(replicas, line.slice(0, 3))
    }
  })
})
