import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GroupCommit } from './group-commit.ts'

function after(appends: number, tookMs: number): GroupCommit {
  const commits = new GroupCommit()
  for (let i = 0; i < appends; i++) commits.appended()
  commits.taken()
  commits.done(100, tookMs)
  return commits
}

test('a single writer is never kept waiting', () => {
  assert.equal(after(1, 10).worthWaiting(100), false)
})

test('five writers are waited for, until all are there', () => {
  const commits = after(5, 1)
  for (let i = 0; i < 5; i++) {
    assert.equal(commits.worthWaiting(100.1), true, `${i} have come`)
    commits.appended()
  }
  assert.equal(commits.worthWaiting(100.1), false)
})

test('the wait is bounded, by what the last sync took and by a millisecond', () => {
  assert.equal(after(5, 0.5).worthWaiting(100.49), true)
  assert.equal(after(5, 0.5).worthWaiting(100.51), false)
  assert.equal(after(5, 50).worthWaiting(100.99), true)
  assert.equal(after(5, 50).worthWaiting(101.01), false)
})

test('it ends when as many have come as the last sync served', () => {
  const commits = after(2, 1)
  commits.appended()
  assert.equal(commits.complete, false)
  commits.appended()
  assert.equal(commits.complete, true)
})

test('who came while the sync ran counts for the next group', () => {
  const commits = new GroupCommit()
  commits.appended()
  commits.taken()
  for (let i = 0; i < 4; i++) commits.appended()
  commits.done(100, 1)
  assert.equal(commits.worthWaiting(100.1), true)
  commits.appended()
  assert.equal(commits.worthWaiting(100.1), false)
})
