import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { replicationMutants } from '../replication/mutants.ts'
import { mutants } from './mutants.ts'

test('every mistake can still be made: its text is there once', () => {
  const gone: string[] = []
  for (const { name, file, find, and } of [...mutants, ...replicationMutants]) {
    const text = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8')
    for (const wanted of and === undefined ? [find] : [find, and.find])
      if (text.split(wanted).length !== 2)
        gone.push(`${name}: ${file} reads ${wanted} ${text.split(wanted).length - 1} times`)
  }
  assert.deepEqual(gone, [])
})
