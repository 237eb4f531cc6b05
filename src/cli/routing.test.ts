import assert from 'node:assert/strict'
import { test } from 'node:test'
import { routed } from './routing.ts'

const CASES: [string, string][] = [
  ['', 'start'],
  ['--port 1', 'start --port 1'],
  ['start --port 1', 'start --port 1'],
  ['--help', '--help'],
  ['-V', '-V'],
  ['help topics', 'help topics'],
  ['nonsense', 'nonsense'],
  ['producer --topic t --message m', 'produce --topic t --message m'],
  ['consumer --topic t', 'consume --topic t'],
  ['kafka-console-consumer.sh --topic t', 'consume --topic t'],
  ['topics', 'topics list'],
  ['topics list', 'topics list'],
  ['topics --create --topic t', 'topics create --topic t'],
  ['kafka-topics --bootstrap-server b:1 --describe', 'topics describe --bootstrap-server b:1'],
  ['groups --group g --reset-offsets --to-earliest', 'groups reset-offsets --group g --to-earliest'],
  ['groups --help', 'groups --help'],
  ['kcat -C -b h -t t', 'consume -o beginning -b h -t t'],
  ['kcat -C -t t -o end', 'consume -t t -o end'],
  ['kcat -G g t', 'consume -G g t'],
  ['kcat -b h -t t -P', 'produce -b h -t t'],
  ['kcat -L -b h', 'topics describe -b h'],
]

for (const [line, expected] of CASES) {
  test(`ottla ${line}`, () => assert.equal(routed(line.split(' ').filter(word => word !== '')).join(' '), expected))
}
