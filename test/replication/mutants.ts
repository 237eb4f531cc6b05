import type { Mistake } from '../simulation/mutants.ts'
import type { RunOptions } from './run.ts'

export interface ReplicationMutant extends Mistake {
  readonly options?: RunOptions
}

/**
 * Classic mistakes in what replicas owe to each other, to be found by the small simulation of one partition: `npm run simulate --
 * --mutants` makes them, one after the other. Its runs are shorter than those of whole clusters, and its faults more to the point.
 */
export const replicationMutants: readonly ReplicationMutant[] = [
  {
    name: 'the high watermark looks at the committed ISR only',
    file: 'src/replication/in-sync.js',
    find: /if \(maximalIsr\.includes[\s\S]*?isEligible\(term, follower\)\)\)/,
    instead: 'if (term.isr.includes(follower.id))',
    seeds: 150,
  },
  {
    name: 'who has what this leader knows to be committed may join',
    file: 'src/replication/in-sync.js',
    find: /follower\.endOffset >= term\.epochStartOffset &&\s*isCaughtUp\(term, follower\) &&/,
    instead: '',
    options: { mix: { kill: 1, power: 0, allPower: 0, elect: 1, rot: 0, cut: 0, slow: 1 } },
    seeds: 150,
  },
  {
    name: 'a log that parts from its leader’s is cut to the high watermark',
    file: 'src/replication/partition.js',
    find: 'const to = Math.max(this.partsAt(divergence), this.log.logStartOffset)',
    instead: 'const to = this.highWatermark',
    seeds: 150,
  },
  {
    name: 'the leader counts what it has not synced',
    file: 'src/replication/leadership.js',
    find: 'return this.#host.log.flushedOffset',
    instead: 'return this.#host.log.logEndOffset',
    seeds: 150,
  },
  {
    name: 'a follower fetches on before it has synced',
    file: 'src/replication/fetcher.js',
    find: 'whenFlushed(following.partition.log.logEndOffset',
    instead: 'whenFlushed(0',
    and: { find: 'if (log.flushedOffset < fetchOffset)', instead: 'if (false)' },
    seeds: 150,
  },
  {
    name: 'a fetch counts whose last epoch was not compared',
    file: 'src/broker/fetch/fetch.js',
    find: /if \(lastFetchedEpoch >= 0\) \{/,
    instead: 'if (false) {',
    seeds: 150,
  },
  {
    name: 'too small an ISR commits',
    file: 'src/replication/in-sync.js',
    find: 'if (term.isr.length < term.minIsr)',
    instead: 'if (false)',
    seeds: 150,
  },
  {
    name: 'what was proposed holds before it is committed',
    file: 'src/replication/leadership.js',
    find: /this\.maximalIsr = \[\.\.\.this\.#role\.isr, [^\n]*/,
    instead: 'this.maximalIsr = isr',
    seeds: 150,
  },
  {
    name: 'an answer of who could not compare the logs yet counts as if it had',
    file: 'src/broker/fetch/fetch.js',
    find: /this\.#unready = true;/,
    instead: 'this.#unready = true; result.highWatermark = partition.highWatermark;',
    options: {
      topology: 'chain',
      nodes: 4,
      faultyMs: 1200,
      mix: { kill: 1, power: 0, allPower: 0, elect: 1, rot: 0, cut: 1, slow: 0.3 },
    },
    seeds: 150,
  },
  {
    name: 'reports go on through a chain after the log was cut',
    file: 'src/replication/partition.js',
    find: /this\.#relay = null;(?=\s*this\.#noRoomAt = -1;)/,
    instead: '',
    options: { topology: 'chain', nodes: 4 },
    seeds: 150,
  },
]
