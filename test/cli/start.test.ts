import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { ottla, scratch, startOttla } from './processes.ts'

const folder = scratch()
after(() => folder.remove())

test('it says where it listens and where its data is, one JSON object a line', async () => {
  const data = join(folder.path, 'first')
  const node = await startOttla(['--port', '0', '--data', data, '--flush', 'os'])
  const ready = JSON.parse(
    node
      .log()
      .split('\n')
      .find(line => line.includes('"ready"'))!,
  )
  assert.deepEqual([ready.level, ready.data, ready.flush], ['info', data, 'os'])
  assert.match(ready.bootstrap, /:\d+$/)
  assert.equal(await node.stop(), 0)
  for (const line of node.log().trimEnd().split('\n')) JSON.parse(line)
})

test('it stops on Ctrl-C, too', async () => {
  const node = await startOttla(['--port', '0', '--memory'])
  assert.equal(await node.stop('SIGINT'), 0)
})

test('a gateway holds no data, says so, and serves a cluster', async () => {
  const node = await startOttla(['--port', '0', '--memory'])
  const gateway = await startOttla(['--roles', 'gateway', '--port', '0', '--join', node.bootstrap], {
    cwd: folder.path,
  })
  assert.match(gateway.log(), /"roles":"gateway"/)
  const sent = await ottla(['produce', 'through', '-b', gateway.bootstrap, '-m', 'hello'])
  assert.equal(sent.code, 0, sent.stderr)
  const read = await ottla(['consume', 'through', '-b', node.bootstrap, '--from-beginning', '--exit'])
  assert.equal(read.stdout, 'hello\n', read.stderr)
  assert.deepEqual([await gateway.stop(), await node.stop()], [0, 0])
  const alone = await ottla(['--roles', 'gateway', '--port', '0'])
  assert.match(alone.stderr, /a gateway needs --join/)
})

test('settings come from a file, the environment and flags', async () => {
  const file = join(folder.path, 'server.properties')
  writeFileSync(file, 'num.partitions=2\nlog.retention.hours=1\nprocess.roles=broker,controller\n')
  const env = { KAFKA_NUM_PARTITIONS: '3', KAFKA_HEAP_OPTS: '-Xmx1g', KAFKA_URL: 'x' }
  const { stdout, stderr } = await ottla(['config', '--changed', '--config', file, '--set', 'message.max.bytes=5000'], {
    env,
  })
  const lines = Object.fromEntries(
    stdout
      .trimEnd()
      .split('\n')
      .map(line => [line.split('\t')[0], line.split('\t').slice(1)]),
  )
  assert.deepEqual(lines, {
    'log.retention.hours': ['1', `${file}:2`],
    'message.max.bytes': ['5000', '--set'],
    'num.partitions': ['3', 'KAFKA_NUM_PARTITIONS'],
    'process.roles': ['broker,controller', `${file}:3  (read-only)`],
  })
  assert.equal(stderr, 'warning: KAFKA_URL is not a setting of a broker: passed over\n')
})

test('one setting, explained', async () => {
  const { stdout } = await ottla(['config', 'log.retention.hours'])
  assert.match(stdout, /^log\.retention\.hours\t168\tdefault\n\nlog\.retention\.hours: Hours that records are kept/)
  assert.match((await ottla(['config', 'log.retention.hour'])).stderr, /did you mean log\.retention\.hours\?/)
})

test('what is wrong is said in one line, before anything is touched', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => taken.once('listening', resolve))
  const { port } = taken.address() as { port: number }
  const file = join(folder.path, 'wrong.properties')
  writeFileSync(file, 'num.partition=2\nlog.segment.bytes=big\n')
  const cases: [string[], RegExp, number][] = [
    [
      ['--host', '127.0.0.1', '--port', String(port), '--memory'],
      new RegExp(`^ottla: port ${port} is already in use`),
      1,
    ],
    [['--port', 'many'], /^ottla: --port: Invalid value many for configuration port: Not a number/, 2],
    [['--prot', '1'], /^ottla: unknown option '--prot' \(Did you mean --port\?\)/, 2],
    [['--set', 'num.partition=1'], /^ottla: --set: unknown setting num.partition \(did you mean num.partitions\?\)/, 2],
    [['--set', 'oops'], /^ottla: --set oops: say --set key=value/, 2],
    [['--memory', '--data', 'x'], /^ottla: --memory and --data exclude each other/, 2],
    [['--config', join(folder.path, 'missing')], /^ottla: no such file or folder: .*missing/, 1],
    [['--flush', 'never'], /must be one of: ack, os/, 2],
    [['strat'], /^ottla: unknown command strat: ottla --help lists all; did you mean start\?/, 2],
  ]
  const results = await Promise.all(cases.map(([args]) => ottla(args, { cwd: folder.path })))
  taken.close()
  for (const [i, [args, pattern, code]] of cases.entries()) {
    const { stderr, code: actual } = results[i]!
    assert.match(stderr, pattern)
    assert.equal(stderr.trimEnd().split('\n').length, 1, stderr)
    assert.equal(actual, code, args.join(' '))
  }
  const file2 = await ottla(['--config', file])
  assert.deepEqual(file2.stderr.trimEnd().split('\n'), [
    `ottla: ${file}:1: unknown setting num.partition (did you mean num.partitions?)`,
    `ottla: ${file}:2: Invalid value big for configuration log.segment.bytes: Not a number of type INT`,
  ])
})

test('help and version', async () => {
  const { version } = JSON.parse((await import('node:fs')).readFileSync('package.json', 'utf8'))
  assert.equal((await ottla(['--version'])).stdout, `${version}\n`)
  const help = await ottla(['--help'])
  assert.match(help.stdout, /ottla produce greetings -m 'Hello, Kafka!'/)
  assert.match((await ottla(['help', 'consume'])).stdout, /--from-beginning/)
  assert.match((await ottla(['topics', 'create', '--help'])).stdout, /--partitions/)
})
