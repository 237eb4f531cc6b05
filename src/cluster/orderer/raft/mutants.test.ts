import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { pathToFileURL } from 'node:url'
import { dice } from '../../../machine/testing.ts'
import type { Raft } from './raft.ts'
import { simulate } from './simulate.test.kit.ts'

/**
 * Classic mistakes, put into a copy of the compiled code: the simulation must find each of them within so many seeds. A
 * mutant whose place is not there any more fails: it would prove nothing.
 */
interface Mutant {
  readonly name: string
  readonly changes: readonly (readonly [file: string, from: string | RegExp, to: string])[]
  /** Seeds within which it must be found. */
  readonly within: number
}

const mutants: readonly Mutant[] = [
  {
    name: 'a Fetch of another epoch is answered',
    changes: [['raft.js', /if \(epoch [<>] this\.#epoch\)\s+return '(FENCED|UNKNOWN)_LEADER_EPOCH';/g, '']],
    within: 20,
  },
  {
    name: 'a Fetch counts whose last epoch is not ours',
    changes: [['leading.js', 'if (elsewhere !== null) {', 'if (elsewhere?.snapshot) {']],
    within: 20,
  },
  {
    name: 'an answer to what we were before is taken',
    changes: [
      ['raft.js', /else if \(this\.#term !== term\)\s+return;/, ''],
      ['raft.js', /if \(epoch < this\.#epoch\)\s+return false;/, 'if (epoch < this.#epoch) return true;'],
      ['following.js', /if \(request\.fetchOffset !== copy\.log\.endOffset\)\s+return false;/, ''],
    ],
    within: 40,
  },
  {
    name: 'a vote from an earlier election is counted',
    changes: [
      ['raft.js', 'else if (this.#term !== term)', "else if (this.#term !== term && request.type !== 'vote')"],
      ['raft.js', 'if (!this.#learn(response, now))', "if (!this.#learn(response, now) && request.type !== 'vote')"],
    ],
    within: 40,
  },
  {
    name: 'votes go to the longer log, whatever its epochs',
    changes: [['judgements.js', /return lastEpoch === .*;/, 'return lastOffset >= log.endOffset;']],
    within: 1000,
  },
  {
    name: 'a follower names what is not on its disk',
    changes: [
      ['following.js', 'fetchOffset: copy.flushed', 'fetchOffset: copy.log.endOffset'],
      ['following.js', 'lastFetchedEpoch: copy.flushedEpoch', 'lastFetchedEpoch: copy.log.lastEpoch'],
      ['copy.js', '&& this.#flushed >= this.log.endOffset', ''],
    ],
    within: 5,
  },
  {
    name: 'a vote is counted as often as it comes',
    changes: [
      ['outbox.js', 'take(token) {', 'take(token, keep) {'],
      [
        'outbox.js',
        'this.#pending.delete(token);',
        "if (!keep || pending?.request.type !== 'vote') this.#pending.delete(token);",
      ],
      [
        'raft.js',
        /(response\(token, response, now\) \{\s+const pending = this\.#outbox\.take\()token\)/,
        '$1token, true)',
      ],
      ['ballot.js', 'if (!includes(this.granted, voter))', ''],
      ['ballot.js', /return voters\.filter\(.*\)\.length >=/, 'return this.granted.length >='],
    ],
    within: 400,
  },
  {
    name: 'the leader counts what is not on its disk',
    changes: [['leading.js', 'majorityOffset(this.#voters, copy.flushed)', 'majorityOffset(this.#voters, endOffset)']],
    within: 10,
  },
  {
    name: 'a vote is told before it is on the disk',
    changes: [['raft.js', 'epoch !== this.#epoch || voted !== this.#voted', 'epoch !== this.#epoch']],
    within: 40,
  },
  {
    name: 'an epoch is told before it is on the disk',
    changes: [['raft.js', 'epoch !== this.#epoch || voted !== this.#voted', 'voted !== this.#voted']],
    within: 10,
  },
  {
    name: 'a follower believes what is committed before its log was compared',
    changes: [['copy.js', 'Math.min(this.#told, this.#matched, this.#flushed)', 'Math.min(this.#told, this.#flushed)']],
    within: 100,
  },
  {
    name: 'nothing is truncated when the epochs part',
    changes: [['following.js', 'return copy.cut(response.diverging);', 'return true;']],
    within: 100,
  },
  {
    name: 'truncated voters stay in force',
    changes: [['copy.js', 'this.voters.truncate(from);', '']],
    within: 100,
  },
  {
    name: 'the voters are changed again before the last change is committed',
    changes: [['raft.js', "? null : 'changing'", '? null : null']],
    within: 100,
  },
  {
    name: 'the voters are changed before the epoch has begun',
    changes: [['raft.js', /if \(!this\.#leading\.begun\)\s+return 'notBegun';/, '']],
    within: 2500,
  },
  {
    name: 'who lost to a full disk what it had given goes on leading',
    changes: [
      [
        'raft.js',
        /if \(this\.#leading !== null\)\s+this\.#step\(now\);\s+else\s+this\.#following\?\.askLater/,
        'this.#following?.askLater',
      ],
    ],
    within: 100,
  },
  {
    name: 'a former leader goes on in its epoch',
    changes: [
      ['raft.js', "this.#enter('resigned');\n            this.#election.wait(now);", 'this.#win([this.#self], now);'],
    ],
    within: 50,
  },
  {
    name: 'a leader that nobody hears goes on for ever',
    changes: [
      [
        'leading.js',
        /return this\.#others\.length === 0 \? Number\.POSITIVE_INFINITY : .*;/,
        'return Number.POSITIVE_INFINITY;',
      ],
    ],
    within: 100,
  },
  {
    name: 'what an earlier leader wrote is committed by counting',
    changes: [['leading.js', 'offset > this.#start && ', '']],
    within: 3000,
  },
]

const compiled = import.meta.dirname ?? new URL('.', import.meta.url).pathname
const folder = mkdtempSync(join(tmpdir(), 'ottla-mutants-'))
const only = process.env.OTTLA_MUTANT
/** Seeds. Those that take longer are looked for when asked: CI says 400, `all` takes minutes. */
const asked = process.env.OTTLA_MUTANTS ?? '100'
const patience = asked === 'all' ? Number.POSITIVE_INFINITY : Number(asked)

async function load(name: string, changes: Mutant['changes']): Promise<typeof Raft> {
  const target = mkdtempSync(join(folder, 'm'))
  for (const file of readdirSync(compiled)) {
    if (!file.endsWith('.js') || file.includes('.test.')) continue
    let text = readFileSync(join(compiled, file), 'utf8')
    for (const [where, from, to] of changes) {
      if (where !== file) continue
      const changed = text.replace(from, to)
      assert.notEqual(changed, text, `${name}: ${file} has no ${from} any more`)
      text = changed
    }
    text = text.replace(/from '(\.\.\/[^']+)'/g, (_, path) => `from '${pathToFileURL(join(compiled, path)).href}'`)
    writeFileSync(join(target, file), text)
  }
  writeFileSync(join(target, 'package.json'), '{"type":"module"}')
  return (await import(pathToFileURL(join(target, 'raft.js')).href)).Raft
}

describe('the simulation finds', () => {
  after(() => rmSync(folder, { recursive: true }))

  for (const { name, changes, within } of mutants) {
    if (only !== undefined && !name.includes(only)) continue
    it(name, async () => {
      const mutant = await load(name, changes)
      if (within > patience) return
      let found = ''
      let seed = 0
      while (found === '' && seed < within) found = simulate(mutant, dice(++seed)).violation ?? ''
      assert.notEqual(found, '', `not within ${within} seeds`)
      if (process.env.OTTLA_TIMES) console.log(`${name}: seed ${seed}: ${found}`)
    })
  }
})
