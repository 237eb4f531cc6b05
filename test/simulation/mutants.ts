/** A classic mistake, as a change of the compiled source. One whose text is no longer there fails: it would prove nothing. */
export interface Mistake {
  readonly name: string
  /** Below dist/. */
  readonly file: string
  readonly find: string | RegExp
  readonly instead: string
  /** The house has a second bolt on that door: it goes, too. */
  readonly and?: { readonly find: string | RegExp; readonly instead: string }
  /** It must be found within so many seeds. */
  readonly seeds: number
}

export interface Mutant extends Mistake {
  /** How many servers the cluster has in which it shows. */
  readonly servers: number
  /** Default: the servers themselves. */
  readonly orderer?: 'store'
  /** Disks are almost full in all seeds. */
  readonly tight?: boolean
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
    seeds: 600,
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
    servers: 3,
    seeds: 30,
  },
  {
    name: 'the leader alone commits',
    file: 'src/replication/in-sync.js',
    find: 'if (follower.endOffset >= offset)',
    instead: 'if (true)',
    servers: 3,
    orderer: 'store',
    seeds: 5,
  },
  {
    name: 'the leader counts what it has not synced',
    file: 'src/replication/in-sync.js',
    find: 'let offset = term.flushedOffset;',
    instead: 'let offset = term.endOffset;',
    servers: 3,
    orderer: 'store',
    seeds: 5,
  },
  {
    name: 'a follower says that it has what it has not synced',
    file: 'src/replication/fetcher.js',
    find: 'if (this.#closed || this.#flushing > 0 ||',
    instead: 'if (this.#closed ||',
    and: { find: 'if (log.flushedOffset < fetchOffset)', instead: 'if (false)' },
    servers: 3,
    orderer: 'store',
    seeds: 20,
  },
  {
    name: 'followers are given what finds no room and is given up',
    file: 'src/replication/partition.js',
    find: 'this.log.read(from, maxBytes, this.log.writtenOffset)',
    instead: 'this.log.read(from, maxBytes)',
    servers: 2,
    orderer: 'store',
    tight: true,
    seeds: 100,
  },
  {
    name: 'a follower keeps what its leader does not have',
    file: 'src/replication/partition.js',
    find: 'return end.epoch < lastFetchedEpoch || end.endOffset < fetchOffset ? end : null;',
    instead: 'return null;',
    servers: 3,
    orderer: 'store',
    seeds: 50,
  },
  {
    name: 'a follower is in sync before it has what was there when the epoch began',
    file: 'src/replication/in-sync.js',
    find: 'follower.endOffset >= term.epochStartOffset &&',
    instead: '',
    and: { find: 'isCaughtUp(term, follower) &&\n        isEligible', instead: 'isEligible' },
    servers: 3,
    orderer: 'store',
    seeds: 300,
  },
  {
    name: 'the high watermark stands on the committed in-sync replicas only',
    file: 'src/replication/in-sync.js',
    find: 'if (maximalIsr.includes(follower.id) || (isCaughtUp(term, follower) && isEligible(term, follower)))',
    instead: 'if (term.isr.includes(follower.id))',
    servers: 3,
    orderer: 'store',
    seeds: 300,
  },
  {
    name: 'the high watermark goes back',
    file: 'src/replication/partition.js',
    find: 'if (offset <= this.#highWatermark)\n            return;\n        this.#highWatermark = offset;',
    instead: 'this.#highWatermark = offset;',
    servers: 3,
    orderer: 'store',
    seeds: 60,
  },
  {
    name: 'who leads no more still serves',
    file: 'src/replication/partition.js',
    find: "this.checkEpoch(currentLeaderEpoch);\n        if (!this.isLeader)\n            throw new KafkaError('NOT_LEADER_OR_FOLLOWER');",
    instead: '',
    servers: 3,
    orderer: 'store',
    seeds: 20,
  },
  {
    name: 'followers do not learn who produced what they copy',
    file: 'src/log/appender.js',
    find: 'this.#epochs.assign(batch.leaderEpoch, batch.baseOffset);\n            if (batch.producerId >= 0)',
    instead: 'this.#epochs.assign(batch.leaderEpoch, batch.baseOffset);\n            if (false)',
    servers: 3,
    orderer: 'store',
    seeds: 50,
  },
  {
    name: 'a vote is told before it is on the disk',
    file: 'src/cluster/orderer/raft/raft.js',
    find: 'epoch !== this.#epoch || voted !== this.#voted',
    instead: 'false',
    servers: 3,
    seeds: 60,
  },
  {
    name: 'the leader of the metadata counts what it has not synced',
    file: 'src/cluster/orderer/raft/leading.js',
    find: 'majorityOffset(this.#voters, copy.flushed)',
    instead: 'majorityOffset(this.#voters, endOffset)',
    servers: 3,
    seeds: 20,
  },
  {
    name: 'a voter keeps what the leader of the metadata does not have',
    file: 'src/cluster/orderer/raft/following.js',
    find: 'return copy.cut(response.diverging);',
    instead: 'return true;',
    servers: 3,
    seeds: 60,
  },
  {
    name: 'any replica may lead, in sync or not',
    file: 'src/cluster/commands/partition-change.js',
    find: "if (election !== 'unclean' && !this.#rules.unclean)",
    instead: 'if (false)',
    servers: 3,
    seeds: 60,
  },
  {
    name: 'what is damaged is not copied anew',
    file: 'src/replication/following.js',
    find: 'if (partition.damagedAt === null || isCountedOn(partition.role, partition.node))',
    instead: 'if (true)',
    and: { find: /const uncommitted = .*;/, instead: 'const uncommitted = false;' },
    servers: 3,
    orderer: 'store',
    seeds: 100,
  },
  {
    name: 'a snapshot of the metadata is copied, and not read',
    file: 'src/cluster/orderer/raft/effects.js',
    find: 'replay.load(snapshot.records, id.endOffset, snapshot.timestamp);',
    instead: '',
    servers: 3,
    seeds: 1200,
  },
  {
    name: 'a copy that is moved counts as in sync before it is',
    file: 'src/cluster/commands/partition-change.js',
    find: 'if (!this.#adding.every(id => isr.includes(id)))\n            return false;',
    instead: 'isr.push(...this.#adding.filter(id => !isr.includes(id)));',
    servers: 4,
    orderer: 'store',
    seeds: 50,
  },
]
