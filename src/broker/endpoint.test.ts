import assert from 'node:assert/strict'
import { test } from 'node:test'
import { controllerOf } from './endpoint.ts'

test('whom clients shall ask for changes is among the brokers that they are told of', () => {
  const cases: readonly [brokers: Record<number, boolean>, leader: number | null, told: number][] = [
    [{ 1: true, 2: true, 3: true }, 3, 3],
    // Between two leaders, or where the leader does not serve: this node, which asks it.
    [{ 1: true, 2: true, 3: true }, null, 2],
    [{ 1: true, 2: true, 3: false }, 3, 2],
    // This node is going: another one.
    [{ 1: true, 2: false, 3: true }, null, 1],
    [{ 1: false, 2: false, 3: true }, 2, 3],
    [{ 1: false, 2: false }, 1, -1],
    [{}, null, -1],
  ]
  for (const [serving, leader, told] of cases) {
    const brokers = new Map(
      Object.entries(serving).map(([id, serves]) => [Number(id), { id: Number(id), fenced: !serves }]),
    )
    const node = { nodeId: 2, leader: () => leader, cluster: { brokers } }
    assert.equal(controllerOf({ node } as unknown as Parameters<typeof controllerOf>[0]), told)
  }
})
