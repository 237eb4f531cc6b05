import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Voter } from '../orderer.ts'
import { Raft } from './raft.ts'
import type {
  ElectionState,
  FetchAnswer,
  FetchRequest,
  RaftIo,
  RaftRequest,
  RaftResponse,
  VoteResponse,
  VotersAt,
} from './types.ts'

const settings = { fetchTimeoutMs: 1000, electionTimeoutMs: 400, retryMs: 10, fetchWaitMs: 200 }
const voter = (id: number): Voter => ({ id, directoryId: `d${id}`, endpoints: [] })
const three = [voter(1), voter(2), voter(3)]

/** One replica with the simplest log there is: an epoch for each offset. Disks are as quick as the test says. */
class Replica implements RaftIo<number[]> {
  readonly raft: Raft<number[]>
  readonly epochs: number[]
  readonly sent: { to: unknown; request: RaftRequest; token: number }[] = []
  readonly suspected: number[] = []
  led: (number | null)[] = []
  /** Writes that have not reached the disk. */
  writing: number[] = []

  constructor(id: number, { epochs = [1], state = {} as Partial<ElectionState>, voters = three } = {}) {
    this.epochs = epochs
    const { epochs: log } = this
    this.raft = new Raft({
      self: voter(id),
      settings,
      io: this,
      state: { epoch: 1, leaderId: -1, voted: null, ...state },
      voters: [{ offset: -1, voters }],
      flushed: epochs.length,
      committed: 0,
      seeds: 0,
      log: {
        startOffset: 0,
        startEpoch: 0,
        get endOffset() {
          return log.length
        },
        get lastEpoch() {
          return log.at(-1) ?? 0
        },
        snapshot: null,
        endOffsetFor(epoch) {
          const end = log.findLastIndex(other => other <= epoch) + 1
          return { epoch: log[end - 1] ?? 0, endOffset: end }
        },
      },
    })
    this.raft.start(0)
  }

  /** Requests of one type that were sent since the last look. */
  take<T extends RaftRequest['type']>(type: T): (RaftRequest & { type: T })[] {
    const found = this.sent.filter(({ request }) => request.type === type).map(({ request }) => request)
    this.sent.length = 0
    return found as (RaftRequest & { type: T })[]
  }

  answer(type: RaftRequest['type'], now: number, response: object): void {
    const { token } = this.sent.findLast(({ request }) => request.type === type)!
    this.raft.response(token, response as RaftResponse<number[]>, now)
  }

  vote(candidate: number, epoch: number, now: number, more: object = {}): VoteResponse | null {
    let given: VoteResponse | null = null
    const key = voter(candidate)
    const last = { lastEpoch: this.epochs.at(-1) ?? 0, lastOffset: this.epochs.length }
    const asked = { type: 'vote', epoch, candidate: key, voter: voter(1), preVote: false, ...last, ...more } as const
    this.raft.vote(asked, now, response => {
      given = response
    })
    return given
  }

  fetch(from: number, now: number, more: Partial<FetchRequest> = {}): FetchAnswer[] {
    const answers: FetchAnswer[] = []
    const asked: FetchRequest = {
      type: 'fetch',
      epoch: this.raft.epoch,
      replica: voter(from),
      fetchOffset: this.epochs.length,
      lastFetchedEpoch: this.epochs.at(-1) ?? 0,
      highWatermark: this.raft.highWatermark,
      maxWaitMs: 200,
      keepAlive: false,
      ...more,
    }
    this.raft.fetch(asked, now, answer => answers.push(answer))
    return answers
  }

  /** Everything that was written is on the disk. */
  settle(now: number): void {
    for (const sequence of this.writing.splice(0)) this.raft.persisted(sequence)
    this.raft.flushed(this.epochs.length, this.raft.generation, now)
  }

  persist(_: ElectionState, sequence: number): void {
    this.writing.push(sequence)
  }

  send(to: unknown, request: RaftRequest, token: number): void {
    this.sent.push({ to, request, token })
  }

  appendLeaderChange(epoch: number): number {
    return this.epochs.push(epoch)
  }

  appendVoters(epoch: number): number {
    return this.epochs.push(epoch)
  }

  appendFetched(records: number[]): readonly VotersAt[] {
    if (records.includes(-1)) throw new Error('damaged')
    this.epochs.push(...records)
    return []
  }

  truncate(to: number): void {
    this.epochs.length = to
  }

  takeSnapshot(): void {}
  committed(): void {}

  lead(epoch: number | null): void {
    this.led.push(epoch)
  }

  broken(why: string): void {
    throw new Error(why)
  }

  suspect(leaderId: number): void {
    this.suspected.push(leaderId)
  }

  random(): number {
    return 0
  }
}

/** Node 1 leads in epoch 2, heard by nobody yet. */
function leader(): Replica {
  const replica = new Replica(1)
  replica.raft.tick(400)
  replica.answer('vote', 400, { epoch: 1, leaderId: -1, error: null, granted: true })
  replica.settle(400)
  replica.answer('vote', 400, { epoch: 2, leaderId: -1, error: null, granted: true })
  replica.settle(400)
  assert.equal(replica.raft.role, 'leader')
  replica.sent.length = 0
  return replica
}

/** Node 1 follows node 2 in epoch 2. */
function follower(): Replica {
  const replica = new Replica(1)
  replica.raft.begin({ type: 'begin', epoch: 2, leaderId: 2, voter: voter(1) }, 0, () => {})
  replica.settle(0)
  return replica
}

describe('Raft', () => {
  it('does not wait anew when it refuses a vote, and does when it gives one', () => {
    const replica = new Replica(1, { epochs: [1, 1, 1] })
    const { deadline } = replica.raft
    for (const epoch of [2, 3, 4]) {
      replica.vote(2, epoch, 300, { lastOffset: 1 })
      assert.equal(replica.raft.deadline, deadline)
    }
    replica.vote(2, 5, 300)
    assert.ok(replica.raft.deadline > deadline)
  })

  it('tells of a vote when it is on the disk, and gives one in an epoch', () => {
    const replica = new Replica(1)
    let given: VoteResponse | null = null
    const last = { lastEpoch: 1, lastOffset: 1, preVote: false } as const
    const asked = { type: 'vote', epoch: 2, candidate: voter(2), voter: voter(1), ...last } as const
    replica.raft.vote(asked, 0, response => {
      given = response
    })
    assert.equal(given, null)
    replica.settle(0)
    assert.deepEqual(given, { epoch: 2, leaderId: -1, error: null, granted: true })
    assert.equal(replica.vote(3, 2, 0)?.granted, false)
    assert.equal(replica.vote(2, 2, 0)?.granted, true)
  })

  for (const [what, last, granted] of [
    ['as much', { lastEpoch: 2, lastOffset: 3 }, true],
    ['more', { lastEpoch: 2, lastOffset: 4 }, true],
    ['less', { lastEpoch: 2, lastOffset: 2 }, false],
    ['a later epoch', { lastEpoch: 3, lastOffset: 1 }, true],
    ['more of an earlier epoch', { lastEpoch: 1, lastOffset: 9 }, false],
  ] as const) {
    it(`votes for who has ${what}: ${granted}`, () => {
      const replica = new Replica(1, { epochs: [1, 2, 2], state: { epoch: 4 } })
      assert.equal(replica.vote(2, 4, 0, { ...last, preVote: true })?.granted, granted)
    })
  }

  it('would not vote while it hears a leader, and looks whether that is there', () => {
    const replica = follower()
    assert.equal(replica.vote(3, 2, 500, { preVote: true })?.granted, false)
    assert.deepEqual(replica.suspected, [2])
    assert.equal(replica.vote(3, 2, 1001, { preVote: true })?.granted, true)
  })

  it('goes by what is in its log, also where others have committed more and its own disk is full', () => {
    const replica = leader()
    replica.fetch(2, 500)
    replica.raft.changeVoters([voter(2), voter(3)], 501)
    replica.fetch(2, 502)
    replica.fetch(3, 503)
    assert.deepEqual([replica.raft.highWatermark, replica.raft.role], [3, 'resigned'])
    replica.epochs.pop()
    replica.raft.dropped(2, 504)
    assert.deepEqual(replica.raft.voters, three)
  })

  it('wins no election with votes for a log that it has lost since', () => {
    const replica = new Replica(1, { epochs: [1, 1] })
    replica.raft.tick(400)
    replica.answer('vote', 400, { epoch: 1, leaderId: -1, error: null, granted: true })
    replica.settle(400)
    assert.equal(replica.raft.role, 'candidate')
    replica.epochs.pop()
    replica.raft.dropped(1, 401)
    replica.answer('vote', 402, { epoch: 2, leaderId: -1, error: null, granted: true })
    replica.settle(402)
    assert.equal(replica.raft.role, 'candidate')
    replica.raft.tick(replica.raft.deadline)
    assert.equal(replica.raft.role, 'prospective', 'and stands again')
  })

  it('holds back no more than a thousand answers while nothing can be written', () => {
    const replica = new Replica(1)
    let answered = 0
    for (let asked = 0; asked < 1500; asked++) {
      replica.raft.end({ type: 'end', epoch: 2, leaderId: 2, candidates: [] }, 10, () => answered++)
    }
    assert.equal(answered, 0)
    replica.settle(20)
    assert.equal(answered, 1000)
    replica.raft.end({ type: 'end', epoch: 2, leaderId: 2, candidates: [] }, 30, () => answered++)
    assert.equal(answered, 1001)
  })

  it('asks before it stands, in the epoch in which it is', () => {
    const replica = follower()
    replica.sent.length = 0
    replica.raft.tick(1000)
    assert.equal(replica.raft.role, 'prospective')
    assert.deepEqual(
      replica.take('vote').map(({ epoch, preVote, voter: { id } }) => ({ epoch, preVote, id })),
      [
        { epoch: 2, preVote: true, id: 2 },
        { epoch: 2, preVote: true, id: 3 },
      ],
    )
  })

  it('stands at once when nobody listens where the leader was', () => {
    const replica = follower()
    replica.raft.leaderLost(3, 10)
    assert.equal(replica.raft.role, 'follower')
    replica.raft.leaderLost(2, 10)
    assert.equal(replica.raft.role, 'prospective')
    assert.ok(replica.raft.deadline <= 10 + 2 * 40, 'and tries again soon')
  })

  it('stands without asking when the leader goes and would like it to', () => {
    const replica = follower()
    replica.raft.end({ type: 'end', epoch: 2, leaderId: 2, candidates: [voter(1), voter(3)] }, 10, () => {})
    assert.equal(replica.raft.role, 'candidate')
    assert.equal(replica.raft.epoch, 3)
  })

  it('does not elect, nor give up the lead, because it was stopped', () => {
    const replica = follower()
    replica.raft.tick(9000)
    assert.equal(replica.raft.role, 'follower')
    const leading = leader()
    leading.raft.tick(60_000)
    assert.equal(leading.raft.role, 'leader')
  })

  it('gives up the lead when no majority is heard', () => {
    const replica = leader()
    while (replica.raft.deadline < 400 + 1500) replica.raft.tick(replica.raft.deadline)
    assert.equal(replica.raft.role, 'leader')
    replica.sent.length = 0
    replica.raft.tick(400 + 1500)
    assert.equal(replica.raft.role, 'resigned')
    assert.equal(replica.take('end').length, 2)
  })

  it('knows that it leads as of the last Fetches of a majority; after a pause only as of questions asked since', () => {
    const replica = leader()
    assert.equal(replica.raft.wholeAsOf(450, 0), Number.NEGATIVE_INFINITY, 'its epoch has not begun')
    replica.fetch(2, 500)
    replica.fetch(3, 600)
    assert.equal(replica.raft.wholeAsOf(700, 0), 600)
    // All were stopped, or we alone: the others may have elected somebody meanwhile.
    assert.equal(replica.raft.wholeAsOf(20_000, 0), Number.NEGATIVE_INFINITY)
    replica.sent.length = 0
    replica.fetch(2, 20_000, { fetchOffset: 2 })
    replica.fetch(3, 20_000, { fetchOffset: 2 })
    replica.raft.tick(20_000)
    assert.equal(replica.raft.role, 'leader')
    assert.equal(replica.raft.wholeAsOf(20_000, 0), 600, 'these Fetches may have waited in our sockets')
    assert.equal(replica.sent.filter(({ request }) => request.type === 'begin').length, 2)
    replica.answer('begin', 20_010, { epoch: 2, leaderId: 1, error: null })
    assert.equal(replica.raft.wholeAsOf(20_010, 0), 20_000)
    replica.fetch(2, 20_020, { fetchOffset: 2 })
    assert.equal(replica.raft.wholeAsOf(20_030, 0), 20_020)
  })

  it('does not take the answer to a question from before a pause for one from after it', () => {
    const replica = leader()
    replica.raft.tick(900)
    replica.fetch(2, 950)
    const before = replica.sent.find(({ request }) => request.type === 'begin')!
    replica.raft.tick(20_000)
    replica.raft.response(before.token, { epoch: 2, leaderId: 1, error: null }, 20_001)
    assert.equal(replica.raft.wholeAsOf(20_001, 0), 950)
  })

  it('has, as a follower, all that was committed when it asked, once that is applied', () => {
    const replica = follower()
    const have = { epoch: 2, leaderId: 2, error: null, diverging: null, snapshot: null }
    replica.answer('fetch', 100, { ...have, highWatermark: 3, records: [2, 2] })
    assert.equal(replica.raft.wholeAsOf(100, 1), Number.NEGATIVE_INFINITY)
    replica.settle(200)
    assert.equal(replica.raft.wholeAsOf(200, 3), 0, 'when it asked')
    replica.answer('fetch', 300, { ...have, highWatermark: 3, records: null })
    assert.equal(replica.raft.wholeAsOf(300, 3), 200)
    assert.equal(replica.raft.wholeAsOf(20_000, 3), 200, 'a pause does not make it fresher')
  })

  it('does not believe a leader that has committed nothing of its own about what is committed', () => {
    const replica = follower()
    const have = { epoch: 2, leaderId: 2, error: null, diverging: null, snapshot: null }
    replica.answer('fetch', 100, { ...have, highWatermark: 1, records: [2] })
    replica.settle(200)
    assert.equal(replica.raft.wholeAsOf(200, 1), Number.NEGATIVE_INFINITY)
  })

  it('knows again that it leads after a pause when others reach it that it does not reach', () => {
    const replica = leader()
    replica.fetch(2, 500)
    replica.fetch(3, 600)
    replica.raft.tick(20_000)
    for (let now = 20_000; now < 80_000; now += 100) {
      replica.epochs.push(2)
      replica.settle(now)
      replica.raft.appended(now)
      for (const id of [2, 3]) replica.fetch(id, now + 50)
      replica.raft.tick(now + 60)
      for (const { request, token } of replica.sent.splice(0))
        if (request.type === 'begin') replica.raft.failed(token, now + 70)
    }
    assert.equal(replica.raft.role, 'leader')
    assert.equal(replica.raft.highWatermark, replica.epochs.length, 'a majority commits 600 records after the pause')
    assert.ok(replica.raft.wholeAsOf(80_000, 0) > 70_000, `${replica.raft.wholeAsOf(80_000, 0)}`)
  })

  it('notices a pause when the first that it hears is a change of voters', () => {
    const replica = leader()
    replica.fetch(2, 500)
    replica.fetch(3, 600)
    replica.raft.changeVoters([voter(1), voter(2)], 20_000)
    replica.fetch(2, 20_001, { fetchOffset: 2 })
    assert.ok(replica.raft.wholeAsOf(20_001, 0) <= 600, `${replica.raft.wholeAsOf(20_001, 0)}`)
  })

  it('never goes on in an epoch that it led before it was started', () => {
    const replica = new Replica(1, { state: { epoch: 3, leaderId: 1 } })
    assert.equal(replica.raft.role, 'resigned')
    assert.equal(replica.vote(2, 3, 0)?.granted, false)
  })

  it('commits nothing of earlier epochs before something of its own', () => {
    const replica = leader()
    replica.fetch(2, 500, { fetchOffset: 1, lastFetchedEpoch: 1 })
    assert.equal(replica.raft.highWatermark, 0)
    assert.deepEqual(replica.led, [])
    replica.fetch(2, 500)
    assert.equal(replica.raft.highWatermark, 2)
    assert.deepEqual(replica.led, [2])
  })

  it('answers a Fetch at once when it brings a high watermark that is not known there (KIP-1166)', () => {
    const replica = leader()
    replica.fetch(2, 500)
    // Not on our own disk yet: two others must have it.
    replica.epochs.push(2)
    replica.raft.appended(501)
    const parked = replica.fetch(3, 502)
    assert.equal(parked.length, 0)
    replica.fetch(2, 503)
    assert.equal(parked[0]?.highWatermark, 3)
    assert.equal(replica.fetch(3, 504, { highWatermark: 2 })[0]?.highWatermark, 3)
    assert.equal(replica.fetch(3, 505, { highWatermark: 3 }).length, 0)
  })

  it('answers a parked Fetch when there is something, when time is over, and when another comes', () => {
    const replica = leader()
    replica.fetch(2, 500)
    const parked = replica.fetch(2, 500)
    replica.epochs.push(2)
    replica.raft.appended(501)
    assert.equal(parked[0]?.readFrom, 2)
    const second = replica.fetch(2, 502)
    replica.raft.tick(702)
    assert.equal(second[0]?.readFrom, -1)
    const third = replica.fetch(2, 703)
    replica.fetch(2, 704)
    assert.equal(third.length, 1)
  })

  it('counts nothing of a log that parts from its own', () => {
    const replica = leader()
    const [answer] = replica.fetch(2, 500, { fetchOffset: 5, lastFetchedEpoch: 1 })
    assert.deepEqual(answer?.diverging, { epoch: 1, endOffset: 1 })
    assert.equal([...replica.raft.replicas][0]?.offset, -1)
  })

  it('says that it lives while its disk is slow', () => {
    const replica = follower()
    const have = { epoch: 2, leaderId: 2, error: null, highWatermark: 0, diverging: null, snapshot: null }
    replica.answer('fetch', 100, { ...have, records: [2, 2] })
    replica.sent.length = 0
    replica.raft.tick(replica.raft.deadline)
    const [sign] = replica.take('fetch')
    assert.equal(sign?.keepAlive, true)
    assert.equal(sign.fetchOffset, 1, 'what is on its disk')
    replica.settle(600)
    assert.equal(replica.take('fetch')[0]?.fetchOffset, 3)
  })

  for (const [what, given, error] of [
    ['it cannot take what the leader gives', [-1], null],
    ['the leader cannot read what it wants', null, 'KAFKA_STORAGE_ERROR'],
  ] as const) {
    it(`asks less and less often while ${what}, and never doubts the leader for it`, () => {
      const replica = follower()
      const have = { epoch: 2, leaderId: 2, highWatermark: 0, diverging: null, snapshot: null }
      const pauses: number[] = []
      let now = 0
      for (let round = 0; round < 12; round++) {
        replica.answer('fetch', now, { ...have, error, records: given })
        pauses.push(replica.raft.deadline - now)
        now = replica.raft.deadline
        replica.raft.tick(now)
        assert.equal(replica.raft.role, 'follower')
      }
      assert.deepEqual(pauses.slice(0, 3), [20, 40, 80])
      assert.equal(Math.round(pauses.at(-1)!), 333)
      replica.answer('fetch', now, { ...have, error: null, records: [2] })
      replica.settle(now)
      replica.answer('fetch', now, { ...have, error: 'NOT_LEADER_OR_FOLLOWER', records: null })
      assert.equal(replica.raft.deadline - now, settings.retryMs, 'as soon as ever')
    })
  }

  it('is told by a sync that began before a truncation nothing', () => {
    const replica = follower()
    const have = { epoch: 2, leaderId: 2, error: null, highWatermark: 0, snapshot: null, records: null }
    const { generation } = replica.raft
    replica.epochs.push(1, 1)
    replica.raft.flushed(3, generation, 0)
    replica.answer('fetch', 100, { ...have, diverging: { epoch: 1, endOffset: 2 } })
    assert.equal(replica.epochs.length, 2)
    replica.epochs.push(2)
    replica.raft.truncated(replica.raft.generation, 101)
    replica.sent.length = 0
    replica.raft.flushed(3, generation, 102)
    assert.equal(replica.take('fetch').length, 0)
    replica.raft.flushed(3, replica.raft.generation, 103)
    assert.equal(replica.take('fetch')[0]?.fetchOffset, 3)
  })

  it('leaves when it is told to, once all is committed, and stands no more', () => {
    const replica = leader()
    replica.fetch(2, 500)
    replica.fetch(3, 500)
    replica.epochs.push(2)
    replica.raft.appended(501)
    replica.settle(501)
    replica.raft.leave(502)
    assert.equal(replica.raft.role, 'leader')
    assert.equal(replica.raft.mayAppend, false)
    replica.fetch(3, 503)
    assert.equal(replica.raft.role, 'resigned')
    const [end] = replica.take('end')
    assert.deepEqual(
      end?.candidates.map(({ id }) => id),
      [3, 2],
    )
    replica.raft.tick(replica.raft.deadline)
    assert.notEqual(replica.raft.role, 'prospective')
  })
})
