import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { Dice } from './dice.ts'
import { Events } from './events.ts'

// Processes of their own: the test runner has opinions about promises that die with a process of the simulation.
const program = new URL('./run.js', import.meta.url).pathname
const run = promisify(execFile)

async function hashes(...args: string[]): Promise<string> {
  const { stdout } = await run(process.execPath, [program, '--hash', ...args])
  return stdout
    .split('\n')
    .filter(line => line.endsWith(' events'))
    .join('\n')
}

test('a handful of seeds finds nothing, and each does the same in another process', async () => {
  const [once, again] = await Promise.all([hashes('--seeds', '2'), hashes('--from', '2', '--seeds', '1')])
  assert.equal(once.split('\n').length, 2)
  assert.equal(once.split('\n')[1], again)
  assert.notEqual(once.split('\n')[0], again)
})

test('events come in the order of time, then of asking; to the paused later, to the dead never', async () => {
  const seen: string[] = []
  const events = new Events(
    () => {},
    error => assert.fail(error as Error),
  )
  const actor = (name: string) => ({ name, alive: true, paused: false, backlog: [] as (() => void)[] })
  const [one, paused, dead] = [actor('one'), actor('paused'), actor('dead')]
  events.in(5, one, () => seen.push('late'))
  events.in(1, one, () => void Promise.resolve().then(() => seen.push('promise')))
  events.in(1, one, () => seen.push('after the promise'))
  events.cancel(events.in(2, one, () => seen.push('cancelled')))
  events.in(2, dead, () => seen.push('dead'))
  events.in(2, paused, () => seen.push('paused'))
  dead.alive = false
  paused.paused = true
  await events.run(10, () => false)
  assert.deepEqual(seen, ['promise', 'after the promise', 'late'])
  assert.equal(paused.backlog.length, 1)
  assert.equal(events.now, 10)
})

test('dice that are forked by name do not move each other', () => {
  const fork = (names: string[]) => {
    const dice = new Dice(7)
    return names.map(name => [name, dice.fork(name).int(1_000_000)])
  }
  const many = new Map(fork(['a', 'b', 'c']) as [string, number][])
  const few = new Map(fork(['c', 'a']) as [string, number][])
  assert.equal(many.get('a'), few.get('a'))
  assert.equal(many.get('c'), few.get('c'))
  assert.notEqual(many.get('a'), many.get('b'))
})
