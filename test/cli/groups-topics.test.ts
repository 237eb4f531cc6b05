import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { ottla, type RunningOttla, type RunOptions, startOttla } from './processes.ts'

let broker: RunningOttla
before(async () => {
  broker = await startOttla(['--port', '0', '--host', '127.0.0.1', '--memory'])
})
after(() => broker.stop())

const run = (line: string, options: RunOptions = {}) =>
  ottla(line.split(' '), { ...options, env: { OTTLA_BOOTSTRAP: broker.bootstrap } })
const rows = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map(line => line.split('\t'))

test('the life of a topic', async () => {
  assert.equal(
    (await run('topics create orders -p 3 --config retention.ms=1000')).stdout,
    'created topic orders with 3 partitions\n',
  )
  assert.match((await run('topics create orders')).stderr, /^ottla: topic orders exists already/)
  assert.equal((await run('topics create orders --if-not-exists')).code, 0)
  assert.match((await run('topics create other --config retention.mss=1')).stderr, /did you mean retention.ms\?/)
  assert.equal((await run('topics list')).stdout, 'orders\n')
  assert.match((await run('topics describe ordes')).stderr, /there is no topic ordes; did you mean orders\?/)
  await run('topics alter orders -p 4 --config retention.ms=2000')
  const [described] = (await run('topics describe orders --json')).stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
  assert.deepEqual([described.partitions.length, described.settings], [4, { 'retention.ms': '2000' }])
  await run('topics alter orders --delete-config retention.ms')
  assert.deepEqual(JSON.parse((await run('topics describe orders --json')).stdout).settings, {})
  assert.equal((await run('kafka-topics.sh --delete --topic orders')).stdout, 'deleted topic orders\n')
  assert.equal((await run('topics list')).stdout, '')
  assert.match((await run('topics delete orders')).stderr, /there is no topic orders/)
  assert.equal((await run('topics delete orders --if-exists')).code, 0)
})

test('the life of a group', async () => {
  await run('topics create work -p 1')
  await run('produce work', { input: '1\n2\n3\n4\n5\n' })
  assert.equal((await run('consume work -G billing --from-beginning -c 2')).stdout, '1\n2\n')
  assert.equal((await run('groups list')).stdout, 'billing\n')
  assert.deepEqual(rows((await run('groups describe billing')).stdout), [
    ['billing', 'work', '0', '2', '5', '3', '-', '-'],
  ])
  assert.equal((await run('consume work -G billing -e')).stdout, '3\n4\n5\n')

  const preview = await run('groups reset-offsets billing --to-earliest')
  assert.deepEqual(rows(preview.stdout), [['billing', 'work', '0', '5', '0', '-5']])
  assert.match(preview.stderr, /a preview: nothing was changed/)
  assert.equal((await run('groups describe billing --json')).stdout.includes('"lag":0'), true)

  for (const [flags, to] of [
    ['--to-earliest', '0'],
    ['--shift-by 3', '3'],
    ['--shift-by -1', '2'],
    ['--to-offset 99', '5'],
    ['--to-datetime 1h', '0'],
    ['--by-duration PT0S', '5'],
    ['--to-current', '5'],
    ['--to-offset 1 --topic work:0', '1'],
  ] as const) {
    const { stdout } = await run(`groups reset-offsets billing ${flags} --execute`)
    assert.equal(rows(stdout)[0]![4], to, flags)
  }
  assert.equal((await run('consume work -G billing -e')).stdout, '2\n3\n4\n5\n')
  assert.equal((await run('groups reset-offsets billing --to-latest --export')).stdout, 'work,0,5\n')
  assert.equal((await run('groups delete-offsets billing -t work')).code, 0)
  assert.equal((await run('groups delete billing')).stdout, 'deleted group billing\n')
  assert.match((await run('groups describe billing')).stderr, /there is no group billing/)
})

test('a group at work cannot be moved or deleted', async () => {
  await run('topics create busy -p 1')
  await run('produce busy -m one')
  const refused: string[] = []
  const member = run('consume busy -G crew --from-beginning', {
    watch: async (_, child) => {
      const described = await run('groups describe crew --members')
      assert.match(described.stdout, /busy-0/)
      refused.push((await run('groups reset-offsets crew --to-latest --execute')).stderr)
      refused.push((await run('groups delete crew')).stderr)
      child.kill('SIGTERM')
    },
  })
  assert.deepEqual(await member, { code: 0, stdout: 'one\n', stderr: '' })
  assert.deepEqual(refused, [
    'ottla: group crew has 1 member: stop it first\n',
    'ottla: group crew has members: stop them first\n',
  ])
  assert.deepEqual(rows((await run('groups describe crew')).stdout), [['crew', 'busy', '0', '1', '1', '0', '-', '-']])
})
