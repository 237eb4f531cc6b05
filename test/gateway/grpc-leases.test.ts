import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { type RunningBroker, startBroker } from '../../src/index.ts'
import { type Answer, GrpcClient, grpc, stands } from './grpc-kit.ts'

const { status } = grpc
const node: RunningBroker = await startBroker({ config: { 'num.partitions': 2 } })
const broker = new GrpcClient(node.bootstrap, 'broker.Broker')
const records = new GrpcClient(node.bootstrap, 'ottla.v1.Records')
const leases = new GrpcClient(node.bootstrap, 'ottla.v1.Leases')
after(async () => {
  for (const client of [broker, records, leases]) client.close()
  await node.stop()
})

const text = (bytes: unknown) => Buffer.from(bytes as Uint8Array).toString()
const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))
const fails = (code: number) => (error: grpc.ServiceError) => {
  assert.equal(error.code, code, error.message)
  return true
}

async function fill(topic: string, ...values: string[]): Promise<void> {
  await records.call('Produce')({ topic, records: values.map(value => ({ partition: 0, value: Buffer.from(value) })) })
}

/** A worker's stream, and what came on it. */
class Member {
  readonly call: grpc.ClientDuplexStream<object, Answer>
  readonly got: Answer[] = []
  readonly settled: Answer[] = []
  error: grpc.ServiceError | null = null
  ended = false
  #more: () => void = () => {}

  static async open(topic: string, credits = 1, group = 'g'): Promise<Member> {
    const member = new Member(leases.duplex('Work')(), { topic, credits, group, leaseMs: 5000 })
    await stands(member.call)
    return member
  }

  private constructor(call: grpc.ClientDuplexStream<object, Answer>, open: object) {
    this.call = call
    call.write({ open })
    call.on('data', (answer: Answer) => {
      this.got.push(...answer.records)
      this.settled.push(...answer.settled)
      this.#more()
    })
    call.on('error', (error: grpc.ServiceError) => {
      this.error = error
      this.#more()
    })
    call.on('end', () => {
      this.ended = true
      this.#more()
    })
  }

  async until(condition: () => boolean): Promise<void> {
    const alarm = setTimeout(() => this.#more(), 8000)
    for (const began = Date.now(); !condition() && Date.now() - began < 8000; )
      await new Promise<void>(resolve => {
        this.#more = resolve
      })
    clearTimeout(alarm)
    assert.ok(condition(), JSON.stringify({ got: this.values, settled: this.settled, error: this.error?.message }))
  }

  get values(): string[] {
    return this.got.map(({ record }) => text(record.value))
  }

  settle(outcome: string, ...leased: Answer[]): void {
    this.call.write({ settlements: leased.map(({ lease }) => ({ lease, outcome })) })
  }
}

test('a record is leased to one worker, and gone when it is acknowledged', async () => {
  await fill('jobs', 'a', 'b')
  const first = await leases.call('Pull')({ topic: 'jobs', group: 'g', max: 1 })
  const second = await leases.call('Pull')({ topic: 'jobs', group: 'g', max: 9 })
  assert.deepEqual([text(first.records[0].record.value), first.records[0].deliveryCount], ['a', 1])
  assert.deepEqual(
    second.records.map(({ record }: Answer) => text(record.value)),
    ['b'],
  )
  const settlements = [
    { lease: first.records[0].lease, outcome: 'OUTCOME_ACK' },
    { lease: second.records[0].lease, outcome: 'OUTCOME_RELEASE' },
  ]
  const { settled } = await leases.call('Settle')({ topic: 'jobs', settlements })
  assert.deepEqual(
    settled.map(({ done }: Answer) => done),
    [true, true],
  )
  const again = await leases.call('Pull')({ topic: 'jobs', group: 'g', max: 9, waitMs: 5000 })
  assert.deepEqual([text(again.records[0].record.value), again.records[0].deliveryCount], ['b', 2])
  // Its lease went with the release; now somebody else has it.
  const late = await leases.call('Settle')({ topic: 'jobs', settlements: settlements.slice(1) })
  assert.equal(late.settled[0].done, false)
})

test('a worker that stays has no more records than it has credit for', async () => {
  await fill('stream', '1', '2', '3', '4', '5')
  const member = await Member.open('stream', 2)
  await member.until(() => member.got.length === 2)
  await pause(100)
  assert.deepEqual(member.values, ['1', '2'])
  member.settle('OUTCOME_ACK', member.got[0]!)
  await member.until(() => member.got.length === 3 && member.settled.length === 1)
  member.settle('OUTCOME_REJECT', ...member.got.slice(1, 3))
  await member.until(() => member.got.length === 5)
  assert.deepEqual(member.values, ['1', '2', '3', '4', '5'])
  assert.ok(member.settled.every(({ done }) => done))
  member.settle('OUTCOME_ACK', ...member.got.slice(3))
  await member.until(() => member.settled.length === 5)
  member.call.end()
  await member.until(() => member.ended)
})

test('what a worker leaves behind goes to the next at once', async () => {
  await fill('left', 'x')
  const first = await Member.open('left')
  await first.until(() => first.got.length === 1)
  first.call.cancel()
  const began = Date.now()
  const second = await Member.open('left')
  await second.until(() => second.got.length === 1)
  // Leases last for five seconds.
  assert.ok(Date.now() - began < 4000)
  assert.deepEqual([second.values, second.got[0]!.deliveryCount], [['x'], 2])
  second.settle('OUTCOME_ACK', second.got[0]!)
  await second.until(() => second.settled.length === 1)
  second.call.cancel()
})

test('a broadcast reaches every member of every group, once', async () => {
  await fill('party', 'before')
  const members = [
    await Member.open('party', 5, 'one'),
    await Member.open('party', 5, 'one'),
    await Member.open('party', 5, 'two'),
  ]
  await broker.call('Broadcast')({ subject: 'party', body: Buffer.from('hear') })
  const heard = (member: Member) => member.got.filter(({ record }) => text(record.value) === 'hear')
  for (const member of members) await member.until(() => heard(member).length === 1)
  await pause(300)
  for (const member of members) {
    assert.equal(heard(member).length, 1)
    assert.equal(heard(member)[0]!.broadcast, true)
    // What is nobody's job is nobody's to settle; where it came as a job it is.
    member.settle('OUTCOME_ACK', ...member.got.filter(({ lease }) => lease !== ''))
  }
  for (const member of members) member.call.end()
})

test('what makes no sense is refused', async () => {
  const settle = (lease: string, outcome: string) =>
    leases.call('Settle')({ topic: 'jobs', settlements: [{ lease, outcome }] })
  await assert.rejects(settle('nonsense', 'OUTCOME_ACK'), fails(status.INVALID_ARGUMENT))
  await assert.rejects(settle('0-0-1-Zw', 'OUTCOME_UNSPECIFIED'), fails(status.INVALID_ARGUMENT))
  await assert.rejects(leases.call('Pull')({ topic: 'jobs', max: 5000 }), fails(status.INVALID_ARGUMENT))
  const call = leases.duplex('Work')()
  call.write({ settlements: [] })
  call.on('data', () => {})
  const error = await new Promise<grpc.ServiceError>(resolve => call.once('error', resolve))
  assert.equal(error.code, status.INVALID_ARGUMENT)
})
