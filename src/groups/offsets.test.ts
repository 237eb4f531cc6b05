import { conversation } from './talking-machine.test.kit.ts'

/** Committed offsets: who may commit, what can be deleted, and when they expire (KIP-211, KIP-496). */

conversation(
  'without members anybody commits; a commit without a generation makes the group',
  `
commit - t-0=5,t-1=6
  log: offset g t-0 5
  log: offset g t-1 6
  -: t-0 ok
  -: t-1 ok
commit - t-0=7 metadata=note
  log: offset g t-0 7
  -: t-0 ok
commit stranger t-0=8 gen=0
  stranger: t-0 UNKNOWN_MEMBER_ID
commit - u-0=1 group=
  log: offset  u-0 1
  -: u-0 ok
fetch
  t-0 7 (note)
  t-1 6
fetch t-0,x-3
  t-0 7 (note)
  x-3 -1
fetch group=
  u-0 1
describe
  g: Empty
list
  g Empty -
   Empty -
config offsetMetadataMaxBytes=3
commit - t-0=9 metadata=note
  -: t-0 OFFSET_METADATA_TOO_LARGE
commit - t-0=9 metadata=not
  log: offset g t-0 9
  -: t-0 ok
config maxOffsetsPerPartition=4
commit - t-1=7,t-2=8,t-3=9
  log: offset g t-1 7
  log: offset g t-2 8
  -: t-1 ok
  -: t-2 ok
  -: t-3 INVALID_COMMIT_OFFSET_SIZE
config maxGroupsPerPartition=2
commit - t-0=1 group=more
  -: t-0 COORDINATOR_LOAD_IN_PROGRESS
join a group=more
  a: COORDINATOR_LOAD_IN_PROGRESS
`,
)

conversation(
  'offsets of topics that members subscribe to cannot be deleted',
  `
join a v=3 protocols=range(topics:t+u)
  log: group g generation 0, no members
advance 10
  a: generation 1, range, leader a, members a(topics:t+u)
sync a assign=a:x
  log: group g generation 1, range, leader a, a="x"
  a: assigned "x"
commit a t-0=1,u-0=2,v-0=3
  log: offset g t-0 1
  log: offset g u-0 2
  log: offset g v-0 3
  a: t-0 ok
  a: u-0 ok
  a: v-0 ok
forget t-0,v-0,v-7
  log: offset g v-0 is gone
  t-0 GROUP_SUBSCRIBED_TO_TOPIC
  v-0 ok
  v-7 ok
fetch
  t-0 1
  u-0 2
leave a
  log: group g generation 2, no members
  a: ok
forget t-0
  log: offset g t-0 is gone
  t-0 ok
fetch
  u-0 2
forget u-0
  log: offset g u-0 is gone
  u-0 ok
describe
  g: Empty consumer
`,
)

conversation(
  'subscriptions that cannot be read protect everything',
  `
join a v=3 protocols=range(whatever)
  log: group g generation 0, no members
advance 10
  a: generation 1, range, leader a, members a(whatever)
sync a assign=a:x
  log: group g generation 1, range, leader a, a="x"
  a: assigned "x"
commit a t-0=1
  log: offset g t-0 1
  a: t-0 ok
forget t-0
  t-0 GROUP_SUBSCRIBED_TO_TOPIC
`,
)

conversation(
  'offsets of deleted topics go; a group without any stays until it expires, also over a reload',
  `
commit - t-0=1,u-0=2
  log: offset g t-0 1
  log: offset g u-0 2
  -: t-0 ok
  -: u-0 ok
commit - t-0=1 group=h
  log: offset h t-0 1
  -: t-0 ok
topics-deleted t
  log: offset g t-0 is gone
  log: offset h t-0 is gone
list
  g Empty -
  h Empty -
reload
fetch
  u-0 2
list
  g Empty -
  h Empty -
`,
)

conversation(
  'nobody ever joined: an offset expires so long after its commit',
  `
config offsetsRetentionMs=100000 offsetsRetentionCheckIntervalMs=30000
commit - t-0=1
  log: offset g t-0 1
  -: t-0 ok
advance 50000
commit - t-1=2
  log: offset g t-1 2
  -: t-1 ok
advance 69000
fetch
  t-0 1
  t-1 2
advance 2000
  log: offset g t-0 is gone
fetch
  t-1 2
advance 30000
  log: offset g t-1 is gone
  log: group g is gone
list
  no groups
`,
)

conversation(
  'since the last member left, all offsets expire together, and with them the group',
  `
config offsetsRetentionMs=100000 offsetsRetentionCheckIntervalMs=30000
join a v=3 session=1800000
  log: group g generation 0, no members
advance 10
  a: generation 1, range, leader a, members a(a)
sync a assign=a:x
  log: group g generation 1, range, leader a, a="x"
  a: assigned "x"
commit a t-0=1
  log: offset g t-0 1
  a: t-0 ok
advance 200000
fetch
  t-0 1
leave a
  log: group g generation 2, no members
  a: ok
advance 95000
fetch
  t-0 1
advance 40000
  log: offset g t-0 is gone
  log: group g is gone
fetch
  no offsets
list
  no groups
`,
)

conversation(
  'while members live, only topics that nobody subscribes to any more expire; other protocols keep all',
  `
config offsetsRetentionMs=100000 offsetsRetentionCheckIntervalMs=30000
join a v=3 session=1800000 protocols=range(topics:t)
  log: group g generation 0, no members
join w v=3 session=1800000 type=connect group=connect
  log: group connect generation 0, no members
advance 10
  a: generation 1, range, leader a, members a(topics:t)
  w: generation 1, range, leader w, members w(w)
sync a assign=a:x
  log: group g generation 1, range, leader a, a="x"
  a: assigned "x"
sync w assign=w:x group=connect
  log: group connect generation 1, range, leader w, w="x"
  w: assigned "x"
commit a t-0=1,gone-0=2
  log: offset g t-0 1
  log: offset g gone-0 2
  a: t-0 ok
  a: gone-0 ok
commit w t-0=1 group=connect
  log: offset connect t-0 1
  w: t-0 ok
advance 200000
  log: offset g gone-0 is gone
fetch
  t-0 1
fetch group=connect
  t-0 1
`,
)

conversation(
  'a client of old may name a retention of its own',
  `
config offsetsRetentionMs=100000 offsetsRetentionCheckIntervalMs=30000
commit - t-0=1 v=4 retention=20000
  log: offset g t-0 1
  -: t-0 ok
commit - t-1=1 v=4 retention=500000
  log: offset g t-1 1
  -: t-1 ok
advance 31000
  log: offset g t-0 is gone
fetch
  t-1 1
reload
advance 200000
fetch
  t-1 1
`,
)

conversation(
  'a group whose members never came back expires; ids that may still be used hold it',
  `
config offsetsRetentionMs=100000 offsetsRetentionCheckIntervalMs=30000
join a session=40000
  log: group g generation 0, no members
  a: MEMBER_ID_REQUIRED
advance 31000
list
  g Empty -
advance 30000
  log: group g is gone
list
  no groups
`,
)

conversation(
  'many tombstones go in parts',
  `
config offsetsRetentionMs=100000 offsetsRetentionCheckIntervalMs=120000 maxTombstonesPerAppend=2
commit - t-0=1,t-1=1
  log: offset g t-0 1
  log: offset g t-1 1
  -: t-0 ok
  -: t-1 ok
commit - t-0=1 group=h
  log: offset h t-0 1
  -: t-0 ok
commit - t-0=1 group=i
  log: offset i t-0 1
  -: t-0 ok
advance 120001
  log: offset g t-0 is gone
  log: offset g t-1 is gone
  log: group g is gone
list
  h Empty -
  i Empty -
advance 1000
  log: offset h t-0 is gone
  log: group h is gone
  log: offset i t-0 is gone
  log: group i is gone
list
  no groups
`,
)
