import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TopicRoom } from './topic-room.ts'

test('a topic that is full leaves the others their room, and is forgotten when it is empty', () => {
  const room = new TopicRoom(100)
  assert.ok(room.take('a', 60))
  assert.ok(!room.take('a', 60))
  assert.ok(room.take('a', 40))
  assert.ok(!room.take('a', 1))
  assert.ok(room.take('b', 100))
  room.give('a', 60)
  assert.ok(room.take('a', 60))
  room.give('a', 100)
  room.give('b', 100)
  assert.equal(room.size, 0)
})

test('what is larger than all room goes alone', () => {
  const room = new TopicRoom(100)
  assert.ok(room.take('a', 500))
  assert.ok(!room.take('a', 1))
  room.give('a', 500)
  assert.ok(room.take('a', 1))
  assert.ok(!room.take('a', 500))
})

test('who waits is told when half of the room is free', async () => {
  const room = new TopicRoom(100)
  const told: string[] = []
  await room.ready('a')
  room.take('a', 90)
  const waiting = ['one', 'two'].map(name => room.ready('a').then(() => told.push(name)))
  room.give('a', 39)
  await new Promise(resolve => setImmediate(resolve))
  assert.deepEqual(told, [])
  room.give('a', 1)
  await Promise.all(waiting)
  assert.deepEqual(told, ['one', 'two'])
})
