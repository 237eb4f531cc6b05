import { conversation } from './talking-machine.test.kit.ts'

/** Members with a `group.instance.id` (KIP-345). */

conversation(
  'a restarted static member takes its place without a rebalance; its former self is fenced',
  `
join a v=9 instance=i1 id=new
  log: group g generation 0, no members
join b v=9 instance=i2 id=new
advance 10
  i1: generation 1, range, leader i1, members i1(a) i2(b)
  i2: generation 1, range, leader i1
sync a instance=i1 assign=i1:x,i2:y
  log: group g generation 1, range, leader i1, i1="x" i2="y"
  a: assigned "x"
sync b instance=i2
  b: assigned "y"
join b2 v=9 instance=i2
  log: group g generation 1, range, leader i1, i1="x" i2#2="y"
  i2#2: generation 1, range, leader i1
heartbeat b instance=i2
  b: FENCED_INSTANCE_ID
commit b t-0=1 instance=i2
  b: t-0 FENCED_INSTANCE_ID
sync b instance=i2
  b: FENCED_INSTANCE_ID
join b v=9 instance=i2
  i2: FENCED_INSTANCE_ID
leave b instance=i2
  b: FENCED_INSTANCE_ID
sync b2 instance=i2
  b2: assigned "y"
heartbeat b2 instance=i2
  b2: ok
commit b2 t-0=2 instance=i2
  log: offset g t-0 2
  b2: t-0 ok
describe
  g: Stable consumer range
    i1 "a" assigned "x"
    i2#2 "b2" assigned "y"
# A reload knows the new one only.
reload
heartbeat b2 instance=i2
  b2: ok
heartbeat b instance=i2
  b: FENCED_INSTANCE_ID
`,
)

conversation(
  'a restarted static leader need not assign again: since version 9 it is told so, before another is named',
  `
join a v=9 instance=i1 id=new
  log: group g generation 0, no members
join b v=9 instance=i2 id=new
advance 10
  i1: generation 1, range, leader i1, members i1(a) i2(b)
  i2: generation 1, range, leader i1
sync a instance=i1 assign=i1:x,i2:y
  log: group g generation 1, range, leader i1, i1="x" i2="y"
  a: assigned "x"
join a2 v=9 instance=i1 protocols=range(a)
  log: group g generation 1, range, leader i1#2, i2="y" i1#2="x"
  i1#2: generation 1, range, leader i1#2, members i1#2(a) i2(b), no need to assign
join a3 v=8 instance=i1 protocols=range(a)
  log: group g generation 1, range, leader i1#3, i2="y" i1#3="x"
  i1#3: generation 1, range, leader i1#2
sync a3 instance=i1
  a3: assigned "x"
`,
)

conversation(
  'new metadata alone makes no rebalance either; another protocol does',
  `
join a v=9 instance=i1 id=new protocols=range(a),rr(a)
  log: group g generation 0, no members
join b v=9 instance=i2 id=new protocols=range(b),rr(b)
advance 10
  i1: generation 1, range, leader i1, members i1(a) i2(b)
  i2: generation 1, range, leader i1
sync a instance=i1 assign=i1:x,i2:y
  log: group g generation 1, range, leader i1, i1="x" i2="y"
  a: assigned "x"
join b2 v=9 instance=i2 protocols=range(new),rr(new)
  log: group g generation 1, range, leader i1, i1="x" i2#2="y"
  i2#2: generation 1, range, leader i1
join b3 v=9 instance=i2 protocols=rr(b)
heartbeat a instance=i1
  a: REBALANCE_IN_PROGRESS
join a v=9 instance=i1 protocols=range(a),rr(a)
  i1: generation 2, rr, leader i1, members i1(a) i2#3(b)
  i2#3: generation 2, rr, leader i1
`,
)

conversation(
  'replaced while the generation is being completed: all join again, who waits as the former self is fenced',
  `
join a v=9 instance=i1 id=new
  log: group g generation 0, no members
join b v=9 instance=i2 id=new
advance 10
  i1: generation 1, range, leader i1, members i1(a) i2(b)
  i2: generation 1, range, leader i1
sync b instance=i2
join b2 v=9 instance=i2
  b: FENCED_INSTANCE_ID
sync a instance=i1 assign=i1:x,i2:y
  a: REBALANCE_IN_PROGRESS
join a v=9 instance=i1
  i1: generation 2, range, leader i1, members i1(a) i2#2(b2)
  i2#2: generation 2, range, leader i1
`,
)

conversation(
  'replaced while it waits in a rebalance',
  `
join a v=9 instance=i1 id=new
  log: group g generation 0, no members
join b v=9 instance=i2 id=new
advance 10
  i1: generation 1, range, leader i1, members i1(a) i2(b)
  i2: generation 1, range, leader i1
sync a instance=i1 assign=i1:x,i2:y
  log: group g generation 1, range, leader i1, i1="x" i2="y"
  a: assigned "x"
sync b instance=i2
  b: assigned "y"
join c v=3
join b v=9 instance=i2
join b2 v=9 instance=i2
  i2: FENCED_INSTANCE_ID
join a v=9 instance=i1
  i1: generation 2, range, leader i1, members c(c) i1(a) i2#2(b2)
  c: generation 2, range, leader i1
  i2#2: generation 2, range, leader i1
`,
)

conversation(
  'a static member that misses a rebalance keeps its place until its session ends',
  `
join a v=9 instance=i1 id=new rebalance=5000 session=8000
  log: group g generation 0, no members
join b v=9 instance=i2 id=new rebalance=5000 session=8000
advance 10
  i1: generation 1, range, leader i1, members i1(a) i2(b)
  i2: generation 1, range, leader i1
sync a instance=i1 assign=i1:x,i2:y
  log: group g generation 1, range, leader i1, i1="x" i2="y"
  a: assigned "x"
sync b instance=i2
  b: assigned "y"
join c v=3 rebalance=5000 session=60000
join a v=9 instance=i1 rebalance=5000 session=8000
advance 5010
  i1: generation 2, range, leader i1, members c(c) i1(a) i2(b)
  c: generation 2, range, leader i1
describe
  g: CompletingRebalance consumer
    i1 "" assigned "x"
    i2 "" assigned "y"
    c "" assigned ""
sync c
sync a instance=i1 assign=i1:x,i2:y,c:z
  log: group g generation 2, range, leader i1, i1="x" i2="y" c="z"
  a: assigned "x"
  c: assigned "z"
heartbeat b instance=i2
  b: ILLEGAL_GENERATION
sync b instance=i2 gen=2
  b: assigned "y"
advance 7000
heartbeat a instance=i1
  a: ok
advance 2000
describe
  g: PreparingRebalance consumer
    i1 "" assigned "x"
    c "" assigned "z"
`,
)

conversation(
  'nobody came to the rebalance: static members keep the old generation waiting until their sessions end',
  `
join a v=9 instance=i1 id=new rebalance=5000 session=12000
  log: group g generation 0, no members
advance 10
  i1: generation 1, range, leader i1, members i1(a)
sync a instance=i1 assign=i1:x
  log: group g generation 1, range, leader i1, i1="x"
  a: assigned "x"
join b v=5 rebalance=5000 session=6000
  b: MEMBER_ID_REQUIRED
join b v=5 rebalance=5000 session=6000
leave b
  b: UNKNOWN_MEMBER_ID
  b: ok
advance 5010
describe
  g: PreparingRebalance consumer
    i1 "" assigned "x"
advance 8000
  log: group g generation 2, no members
describe
  g: Empty consumer
`,
)

conversation(
  'an administrator throws static members out by their names',
  `
join a v=9 instance=i1 id=new
  log: group g generation 0, no members
join b v=9 instance=i2 id=new
join c v=3
advance 10
  i1: generation 1, range, leader i1, members c(c) i1(a) i2(b)
  i2: generation 1, range, leader i1
  c: generation 1, range, leader i1
sync a instance=i1 assign=i1:x,i2:y,c:z
  log: group g generation 1, range, leader i1, i1="x" i2="y" c="z"
  a: assigned "x"
leave /i2,/i3
  /i2: ok
  /i3: UNKNOWN_MEMBER_ID
heartbeat a instance=i1
  a: REBALANCE_IN_PROGRESS
`,
)

conversation(
  'ids that do not belong together',
  `
join a v=9 instance=i1 id=new
  log: group g generation 0, no members
advance 10
  i1: generation 1, range, leader i1, members i1(a)
join a v=9 instance=i2
  i1: UNKNOWN_MEMBER_ID
join x v=9 instance=i1 id=made-up
  made-up: FENCED_INSTANCE_ID
heartbeat a instance=i2
  a: UNKNOWN_MEMBER_ID
heartbeat a instance=i1 gen=7
  a: ILLEGAL_GENERATION
join p v=9
  p: MEMBER_ID_REQUIRED
join p v=9 instance=i3
  p: UNKNOWN_MEMBER_ID
leave a instance=i2
  a: UNKNOWN_MEMBER_ID
leave a instance=i1
  a: ok
`,
)
