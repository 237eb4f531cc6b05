/** A classic mistake, as a change of the compiled source. One whose text is no longer there fails: it would prove nothing. */
export interface Mutant {
  readonly name: string
  /** Below dist/. */
  readonly file: string
  readonly find: string
  readonly instead: string
  /** How many servers the cluster has in which it shows. */
  readonly servers: number
  /** It must be found within so many seeds. */
  readonly seeds: number
}

export const mutants: readonly Mutant[] = [
  {
    name: 'acknowledged before the sync',
    file: 'src/log/flush-policy.js',
    find: "if (this.#config.flush === 'ack')\n            return durableOffset;",
    instead: '',
    servers: 1,
    seeds: 5,
  },
  {
    name: 'names of new files are not made durable',
    file: 'src/store/file/partition-directory.js',
    find: 'if (!this.#namesUnsynced || !this.#exists)',
    instead: 'if (true)',
    servers: 1,
    seeds: 10,
  },
  {
    name: 'producers are not remembered through a restart',
    file: 'src/log/producer-snapshots.js',
    find: 'if (from === null || damage !== null)',
    instead: 'if (true)',
    servers: 1,
    seeds: 200,
  },
  {
    name: 'a batch torn by a power cut is taken for whole',
    file: 'src/store/file/recovery.js',
    find: 'if (crc(block, inBlock) !== expectedCrc(block, inBlock))',
    instead: 'if (false)',
    servers: 1,
    seeds: 200,
  },
  {
    name: 'a failed sync counts as done',
    file: 'src/store/file/durability.js',
    find: 'const sync = () => context.handles.pinned(segment.path, file => file.sync());',
    instead: 'const sync = () => context.handles.pinned(segment.path, file => file.sync().catch(() => {}));',
    servers: 1,
    seeds: 100,
  },
  {
    name: 'consumers read what is not committed',
    file: 'src/replication/partition.js',
    find: 'this.log.read(from, maxBytes, this.#highWatermark)',
    instead: 'this.log.read(from, maxBytes, this.log.logEndOffset)',
    servers: 1,
    seeds: 200,
  },
]
