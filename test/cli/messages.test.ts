import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Finished, ottla, type RunningOttla, type RunOptions, startOttla } from './processes.ts'

let broker: RunningOttla
before(async () => {
  broker = await startOttla(['--port', '0', '--host', '127.0.0.1', '--memory', '--set', 'num.partitions=1'])
})
after(() => broker.stop())

const run = (line: string, options: RunOptions = {}): Promise<Finished> =>
  ottla(line.split(' '), { ...options, env: { OTTLA_BOOTSTRAP: broker.bootstrap, ...options.env } })

/** What it printed; everything else must have gone well. */
async function out(line: string, options: RunOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await run(line, options)
  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' }, line)
  return stdout
}

test("the first message, in the seed's own words", async () => {
  await ottla(['producer', '--topic', 'my_topic', '--message', 'Hello, Kafka!'], {
    env: { OTTLA_BOOTSTRAP: broker.bootstrap },
  })
  const { code, stdout } = await run('consumer --topic my_topic --from-beginning', {
    watch: (text, child) => text.includes('\n') && child.kill('SIGINT'),
  })
  assert.deepEqual([code, stdout], [0, 'Hello, Kafka!\n'])
})

test('lines go in and come out as they were, 20,000 of them', async () => {
  const lines = `${Array.from({ length: 20_000 }, (_, i) => `line ${i}`).join('\n')}\n`
  assert.equal(await out('produce many -z gzip', { input: lines }), '')
  assert.equal(await out('consume many --from-beginning -e'), lines)
})

test('keys, headers, nulls, JSON, and back again', async () => {
  await out('produce keyed -K : -Z -H from=test', { input: 'a:1\nb:\nplain\n' })
  assert.equal(
    await out('consume keyed -o beginning -e -f %k=%s/%h\\n -Z'),
    'a=1/from=test\nb=NULL/from=test\nNULL=plain/from=test\n',
  )
  const json = await out('consume keyed -o 1 -e --json')
  const [second, third] = json
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line))
  assert.deepEqual(
    { ...second, timestamp: 0 },
    {
      topic: 'keyed',
      partition: 0,
      offset: 1,
      timestamp: 0,
      key: 'b',
      value: null,
      headers: [{ key: 'from', value: 'test' }],
    },
  )
  assert.deepEqual([third.key, third.value], [null, 'plain'])
  await out('produce copied --json', { input: json })
  const copied = await out('consume copied --from-beginning -e --json')
  assert.equal(
    copied.replaceAll('copied', 'keyed').replaceAll(/"offset":\d+/g, ''),
    json.replaceAll(/"offset":\d+/g, ''),
  )
})

test("Kafka's console flags", async () => {
  await out(
    `console-producer --bootstrap-server ${broker.bootstrap} --topic console --property parse.key=true --property key.separator=, --request-required-acks all --compression-codec lz4`,
    {
      input: 'k1,v1\nk2,v2\n',
      env: { OTTLA_BOOTSTRAP: 'nowhere:1' },
    },
  )
  assert.equal(
    await out(
      'kafka-console-consumer.sh --topic console --from-beginning --max-messages 2 --property print.key=true --formatter-property print.partition=true --timeout-ms 5000',
    ),
    'Partition:0\tk1\tv1\nPartition:0\tk2\tv2\n',
  )
  assert.equal(await out('kcat -C -t console -o -1 -e -f %o:%s'), '1:v2')
})

test('only part is read: by count, by offset, by time, by partition', async () => {
  await out('topics create parts --partitions 2')
  await out('produce parts -p 0', { input: 'a\nb\nc\n' })
  await out('produce parts -p 1', { input: 'd\n' })
  assert.equal(await out('consume parts -p 0 --from-beginning -c 2'), 'a\nb\n')
  assert.equal(await out('consume parts -p 1 -o beginning -e'), 'd\n')
  assert.equal(await out('consume parts -p 0 -o -2 -e'), 'b\nc\n')
  assert.equal(await out('consume parts -p 0 --since 1h -e -f %s'), 'abc')
  assert.equal(await out('consume parts -p 0 --from-beginning --until 1h -e'), '')
  const missing = await run('consume parts -p 7 -e')
  assert.match(missing.stderr, /^ottla: parts has no partition 7: there are 2/)
})

test('a reader that has enough ends it without a word', async () => {
  const { code, stderr } = await run('consume many --from-beginning', { watch: (_, child) => child.stdout!.destroy() })
  assert.deepEqual([code, stderr], [0, ''])
})

test('mistakes are one line each', async () => {
  const cases: [string, RegExp, number][] = [
    ['consume', /^ottla: say which topic/, 2],
    ['consume t --from-beginning -o end', /exclude each other/, 2],
    ['consume t -f %y', /^ottla: unknown %y/, 2],
    ['consume nothing-here -e', /^ottla: there is no topic nothing-here/, 1],
    ['produce t -z rar', /^ottla: compression rar/, 2],
    ['produce t -m x -X security.protocol=SSL', /only PLAINTEXT/, 2],
    ['produce many -m x -p 9', /^ottla: many has no partition 9/, 1],
    ['consume t --max-mesages 1', /unknown option '--max-mesages' \(Did you mean --max-messages\?\)/, 2],
    ['consume t -b 127.0.0.1:1', /^ottla: nothing listens on 127.0.0.1:1: is the broker running\?/, 1],
  ]
  const results = await Promise.all(cases.map(([line]) => run(line)))
  for (const [i, [line, pattern, code]] of cases.entries()) {
    assert.match(results[i]!.stderr, pattern, line)
    assert.equal(results[i]!.stderr.trimEnd().split('\n').length, 1, results[i]!.stderr)
    assert.equal(results[i]!.code, code, line)
  }
})
