import { conversation } from './talking-machine.test.kit.ts'

/** Conversations in Kafka's classic protocol; each expected line was read and understood before it was kept. */

conversation(
  'a member is told its id, joins, leads, assigns, commits, and goes',
  `
join a
  log: group g generation 0, no members
  a: MEMBER_ID_REQUIRED
join a
advance 0
  a: generation 1, range, leader a, members a(a)
describe
  g: CompletingRebalance consumer
    a "" assigned ""
sync a assign=a:t-0
  log: group g generation 1, range, leader a, a="t-0"
  a: assigned "t-0"
heartbeat a
  a: ok
commit a t-0=5
  log: offset g t-0 5
  a: t-0 ok
fetch t-0,t-1
  t-0 5
  t-1 -1
describe
  g: Stable consumer range
    a "a" assigned "t-0"
list
  g Stable consumer
delete
  g: NON_EMPTY_GROUP
leave a
  log: group g generation 2, no members
  a: ok
heartbeat a
  a: UNKNOWN_MEMBER_ID
describe
  g: Empty consumer
fetch
  t-0 5
delete
  log: offset g t-0 is gone
  log: group g is gone
  g: ok
describe
  g: Dead
describe v=6
  g: Dead, GROUP_ID_NOT_FOUND
`,
)

conversation(
  'before version 4 a member joins in one step, and version 0 knows no rebalance timeout',
  `
join a v=0 session=7000
  log: group g generation 0, no members
advance 0
  a: generation 1, range, leader a, members a(a)
sync a assign=a:all
  log: group g generation 1, range, leader a, a="all"
  a: assigned "all"
describe
  g: Stable consumer range
    a "a" assigned "all"
# Nobody hears of it any more: its session ends, and with it the group's generation.
advance 6990
describe
  g: Stable consumer range
    a "a" assigned "all"
advance 20
  log: group g generation 2, no members
describe
  g: Empty consumer
`,
)

conversation(
  'an empty group waits for more members, longer while they come, never beyond the rebalance timeout',
  `
config initialRebalanceDelayMs=3000
join a v=3 rebalance=8000
  log: group g generation 0, no members
advance 2000
join b v=3 rebalance=8000
advance 1500
# The first delay is over; b came meanwhile.
join c v=3 rebalance=8000
advance 2600
# c came meanwhile; what is left of the rebalance timeout is 2000.
join d v=3 rebalance=8000
advance 1800
advance 300
  a: generation 1, range, leader a, members a(a) b(b) c(c) d(d)
  b: generation 1, range, leader a
  c: generation 1, range, leader a
  d: generation 1, range, leader a
`,
)

conversation(
  'somebody who was told an id and never came does not end that wait',
  `
config initialRebalanceDelayMs=9000
join a v=3
  log: group g generation 0, no members
join b v=4 session=6000
  b: MEMBER_ID_REQUIRED
advance 7000
join c v=3
advance 2100
# c came after the delay began: once more.
advance 9000
  a: generation 1, range, leader a, members a(a) c(c)
  c: generation 1, range, leader a
`,
)

conversation(
  'three members: the leader learns all metadata, followers wait for it; votes choose the protocol',
  `
join a v=3 protocols=range(1),rr(2)
  log: group g generation 0, no members
join b v=3 protocols=rr(3),range(4)
join c v=3 protocols=rr(5),range(6),sticky(7)
advance 10
  a: generation 1, rr, leader a, members a(2) b(3) c(5)
  b: generation 1, rr, leader a
  c: generation 1, rr, leader a
sync b
sync c
sync a assign=a:x,b:y,c:z
  log: group g generation 1, rr, leader a, a="x" b="y" c="z"
  a: assigned "x"
  b: assigned "y"
  c: assigned "z"
sync c
  c: assigned "z"
describe
  g: Stable consumer rr
    a "2" assigned "x"
    b "3" assigned "y"
    c "5" assigned "z"
`,
)

conversation(
  'a fourth member makes all others join again; REBALANCE_IN_PROGRESS tells them',
  `
join a v=3
  log: group g generation 0, no members
join b v=3
advance 10
  a: generation 1, range, leader a, members a(a) b(b)
  b: generation 1, range, leader a
sync a assign=a:x,b:y
  log: group g generation 1, range, leader a, a="x" b="y"
  a: assigned "x"
sync b
  b: assigned "y"
join c v=3
heartbeat a
  a: REBALANCE_IN_PROGRESS
heartbeat b
  b: REBALANCE_IN_PROGRESS
sync a
  a: REBALANCE_IN_PROGRESS
commit b t-0=7
  log: offset g t-0 7
  b: t-0 ok
join b v=3
join a v=3
  a: generation 2, range, leader a, members a(a) b(b) c(c)
  b: generation 2, range, leader a
  c: generation 2, range, leader a
commit a t-0=8
  a: t-0 REBALANCE_IN_PROGRESS
heartbeat a
  a: ok
sync a assign=a:x,c:z
  log: group g generation 2, range, leader a, a="x" b="" c="z"
  a: assigned "x"
sync b
  b: assigned ""
sync c
  c: assigned "z"
commit a t-0=9
  log: offset g t-0 9
  a: t-0 ok
commit a t-0=10 gen=1
  a: t-0 ILLEGAL_GENERATION
commit - t-0=11
  -: t-0 UNKNOWN_MEMBER_ID
commit stranger t-0=12 gen=2
  stranger: t-0 UNKNOWN_MEMBER_ID
fetch t-0
  t-0 9
`,
)

conversation(
  'whoever does not join the rebalance in time is out',
  `
join a v=3 rebalance=5000
  log: group g generation 0, no members
join b v=3 rebalance=5000
advance 10
  a: generation 1, range, leader a, members a(a) b(b)
  b: generation 1, range, leader a
sync a assign=a:x,b:y
  log: group g generation 1, range, leader a, a="x" b="y"
  a: assigned "x"
sync b
  b: assigned "y"
join c v=3 rebalance=5000
join a v=3 rebalance=5000
advance 4990
heartbeat b
  b: REBALANCE_IN_PROGRESS
advance 20
  a: generation 2, range, leader a, members a(a) c(c)
  c: generation 2, range, leader a
heartbeat b
  b: UNKNOWN_MEMBER_ID
describe
  g: CompletingRebalance consumer
    a "" assigned "x"
    c "" assigned ""
`,
)

conversation(
  'a leader that does not come loses the lead',
  `
join a v=3 rebalance=5000
  log: group g generation 0, no members
join b v=3 rebalance=5000
advance 10
  a: generation 1, range, leader a, members a(a) b(b)
  b: generation 1, range, leader a
sync a assign=a:x,b:y
  log: group g generation 1, range, leader a, a="x" b="y"
  a: assigned "x"
join b v=3 rebalance=5000 protocols=range(new)
advance 5010
  b: generation 2, range, leader b, members b(new)
sync b assign=b:all
  log: group g generation 2, range, leader b, b="all"
  b: assigned "all"
describe
  g: Stable consumer range
    b "new" assigned "all"
`,
)

conversation(
  'members that never ask for their assignment are out after the rebalance timeout',
  `
join a v=3 rebalance=5000
  log: group g generation 0, no members
join b v=3 rebalance=5000
advance 10
  a: generation 1, range, leader a, members a(a) b(b)
  b: generation 1, range, leader a
sync a assign=a:x,b:y
  log: group g generation 1, range, leader a, a="x" b="y"
  a: assigned "x"
advance 3000
heartbeat a
  a: ok
heartbeat b
  b: ok
advance 2010
heartbeat a
  a: REBALANCE_IN_PROGRESS
heartbeat b
  b: UNKNOWN_MEMBER_ID
join a v=3
  a: generation 2, range, leader a, members a(a)
`,
)

conversation(
  'the leader that never assigns is out; who waited for it is sent to join again',
  `
join a v=3 rebalance=5000
  log: group g generation 0, no members
join b v=3 rebalance=5000
advance 10
  a: generation 1, range, leader a, members a(a) b(b)
  b: generation 1, range, leader a
sync b
advance 3000
heartbeat a
  a: ok
advance 2010
  b: REBALANCE_IN_PROGRESS
join b v=3 rebalance=5000
  b: generation 2, range, leader b, members b(b)
`,
)

conversation(
  'a lost answer: joining again while the generation is being completed tells the same generation',
  `
join a v=3
  log: group g generation 0, no members
join b v=3
advance 10
  a: generation 1, range, leader a, members a(a) b(b)
  b: generation 1, range, leader a
join b v=3
  b: generation 1, range, leader a
join a v=3
  a: generation 1, range, leader a, members a(a) b(b)
join b v=3 protocols=range(other)
join a v=3
  a: generation 2, range, leader a, members a(a) b(other)
  b: generation 2, range, leader a
`,
)

conversation(
  'in a stable group only a leader or changed metadata makes a rebalance',
  `
join a v=3
  log: group g generation 0, no members
join b v=3
advance 10
  a: generation 1, range, leader a, members a(a) b(b)
  b: generation 1, range, leader a
sync a assign=a:x,b:y
  log: group g generation 1, range, leader a, a="x" b="y"
  a: assigned "x"
sync b
  b: assigned "y"
join b v=3
  b: generation 1, range, leader a
sync b
  b: assigned "y"
join b v=3 protocols=range(new)
join a v=3
  a: generation 2, range, leader a, members a(a) b(new)
  b: generation 2, range, leader a
`,
)

conversation(
  'who waits is answered when its member goes',
  `
join a v=3
  log: group g generation 0, no members
join b v=3
advance 10
  a: generation 1, range, leader a, members a(a) b(b)
  b: generation 1, range, leader a
sync b
leave b v=1
  b: UNKNOWN_MEMBER_ID
  b: ok
join a v=3
  a: generation 2, range, leader a, members a(a)
`,
)

conversation(
  'a member that asks twice is answered twice',
  `
join a v=3
  log: group g generation 0, no members
join b v=3
advance 10
  a: generation 1, range, leader a, members a(a) b(b)
  b: generation 1, range, leader a
sync b
sync b
  b: REBALANCE_IN_PROGRESS
sync a assign=b:y
  log: group g generation 1, range, leader a, a="" b="y"
  a: assigned ""
  b: assigned "y"
join a v=3
join a v=3
  a: REBALANCE_IN_PROGRESS
join b v=3
  a: generation 2, range, leader a, members a(a) b(b)
  b: generation 2, range, leader a
`,
)

conversation(
  'protocols and their type must fit',
  `
join a v=3 protocols=range(x),rr(y)
  log: group g generation 0, no members
advance 10
  a: generation 1, range, leader a, members a(x)
join b v=3 protocols=sticky(z)
  b: INCONSISTENT_GROUP_PROTOCOL
join b v=3 type=connect protocols=range(x)
  b: INCONSISTENT_GROUP_PROTOCOL
join b v=3 protocols=rr(z)
join c v=3 type=connect protocols=rr(c) group=other
  log: group other generation 0, no members
join e v=3 type= group=third
  e: INCONSISTENT_GROUP_PROTOCOL
join a v=3 protocols=range(x),rr(y)
  a: generation 2, rr, leader a, members a(y) b(z)
  b: generation 2, rr, leader a
sync a type=connect
  a: INCONSISTENT_GROUP_PROTOCOL
sync a protocol=range
  a: INCONSISTENT_GROUP_PROTOCOL
`,
)

conversation(
  'requests that make no sense',
  `
join a v=3 session=5999
  a: INVALID_SESSION_TIMEOUT
join a v=3 session=1800001
  a: INVALID_SESSION_TIMEOUT
join a v=3 group=
  a: INVALID_GROUP_ID
join a v=3 id=unknown
  unknown: UNKNOWN_MEMBER_ID
sync a
  a: UNKNOWN_MEMBER_ID
heartbeat a
  a: UNKNOWN_MEMBER_ID
leave a
  a: UNKNOWN_MEMBER_ID
leave a v=2
  a: UNKNOWN_MEMBER_ID
sync a group=
  a: INVALID_GROUP_ID
heartbeat a group=
  a: INVALID_GROUP_ID
leave a group=
  a: INVALID_GROUP_ID
commit a t-0=1 gen=3
  a: t-0 GROUP_ID_NOT_FOUND
commit a t-0=1 gen=3 v=8
  a: t-0 ILLEGAL_GENERATION
forget t-0
  GROUP_ID_NOT_FOUND
delete
  g: GROUP_ID_NOT_FOUND
describe
  g: Dead
list
  no groups
`,
)

conversation(
  'group.max.size: new members are turned away; of a rebalancing group the last to come',
  `
config maxSize=2
join a v=3
  log: group g generation 0, no members
join b v=3
join c v=3
  c: GROUP_MAX_SIZE_REACHED
advance 10
  a: generation 1, range, leader a, members a(a) b(b)
  b: generation 1, range, leader a
join c v=3
  c: GROUP_MAX_SIZE_REACHED
sync a assign=a:x,b:y
  log: group g generation 1, range, leader a, a="x" b="y"
  a: assigned "x"
sync b
  b: assigned "y"
config maxSize=1
heartbeat a
  a: REBALANCE_IN_PROGRESS
join b v=3
join a v=3
  a: GROUP_MAX_SIZE_REACHED
  b: generation 2, range, leader b, members b(b)
`,
)

conversation(
  'ids that were given out and never used hold the rebalance up only for a session',
  `
join a v=5 session=6000
  log: group g generation 0, no members
  a: MEMBER_ID_REQUIRED
join a v=5 session=6000
advance 10
  a: generation 1, range, leader a, members a(a)
sync a assign=a:x
  log: group g generation 1, range, leader a, a="x"
  a: assigned "x"
join b v=5 session=6000
  b: MEMBER_ID_REQUIRED
join a v=5 session=6000
advance 3000
heartbeat a gen=1
  a: REBALANCE_IN_PROGRESS
advance 3010
  a: generation 2, range, leader a, members a(a)
join b v=5
  b: UNKNOWN_MEMBER_ID
`,
)

conversation(
  'a new member that gave up waiting is forgotten after five minutes, whatever its session timeout',
  `
join a v=3 session=6000 rebalance=600000
  log: group g generation 0, no members
advance 10
  a: generation 1, range, leader a, members a(a)
sync a assign=a:x
  log: group g generation 1, range, leader a, a="x"
  a: assigned "x"
join pending v=5 session=1800000
  pending: MEMBER_ID_REQUIRED
join b v=3 session=6000 rebalance=600000
join a v=3 session=6000 rebalance=600000
advance 299980
describe
  g: PreparingRebalance consumer
    a "" assigned "x"
    b "" assigned ""
advance 30
  b: UNKNOWN_MEMBER_ID
describe
  g: PreparingRebalance consumer
    a "" assigned "x"
# Who waits needs no heartbeat; the rebalance timeout ends the waiting for the pending one.
advance 300000
  a: generation 2, range, leader a, members a(a)
`,
)

conversation(
  'who waits when the lead is lost is told so; the generation goes on with fresh sessions',
  `
join a v=3
  log: group g generation 0, no members
join b v=3
advance 10
  a: generation 1, range, leader a, members a(a) b(b)
  b: generation 1, range, leader a
sync a assign=a:x,b:y
  log: group g generation 1, range, leader a, a="x" b="y"
  a: assigned "x"
sync b
  b: assigned "y"
advance 9000
reload
advance 9000
heartbeat a
  a: ok
heartbeat b
  b: ok
describe
  g: Stable consumer range
    a "a" assigned "x"
    b "b" assigned "y"
join c v=5
  c: MEMBER_ID_REQUIRED
join c v=5
reload
  refused: notLeader
heartbeat a
  a: ok
join c v=5
  c: UNKNOWN_MEMBER_ID
`,
)

conversation(
  'cooperative rebalancing: two rounds of the same protocol, whose content only the members understand',
  `
join a v=9 id=new protocols=cooperative(owns-nothing)
  log: group g generation 0, no members
  a: MEMBER_ID_REQUIRED
join a v=9 protocols=cooperative(owns-nothing)
advance 10
  a: generation 1, cooperative, leader a, members a(owns-nothing)
sync a assign=a:t-0+t-1
  log: group g generation 1, cooperative, leader a, a="t-0+t-1"
  a: assigned "t-0+t-1"
join b v=9 protocols=cooperative(owns-nothing)
  b: MEMBER_ID_REQUIRED
join b v=9 protocols=cooperative(owns-nothing)
heartbeat a
  a: REBALANCE_IN_PROGRESS
# KIP-429: a keeps what it owns while it joins again, and commits for it.
commit a t-0=3
  log: offset g t-0 3
  a: t-0 ok
join a v=9 protocols=cooperative(owns-t-0+t-1)
  a: generation 2, cooperative, leader a, members a(owns-t-0+t-1) b(owns-nothing)
  b: generation 2, cooperative, leader a
sync b
sync a assign=a:t-0,b:nothing-yet
  log: group g generation 2, cooperative, leader a, a="t-0" b="nothing-yet"
  a: assigned "t-0"
  b: assigned "nothing-yet"
join a v=9 protocols=cooperative(owns-t-0)
heartbeat b
  b: REBALANCE_IN_PROGRESS
join b v=9 protocols=cooperative(owns-nothing)
  a: generation 3, cooperative, leader a, members a(owns-t-0) b(owns-nothing)
  b: generation 3, cooperative, leader a
sync b
sync a assign=a:t-0,b:t-1
  log: group g generation 3, cooperative, leader a, a="t-0" b="t-1"
  a: assigned "t-0"
  b: assigned "t-1"
`,
)

conversation(
  'Kafka Connect and others: any protocol type, any bytes',
  `
join w v=2 type=connect protocols=sessioned(url),compatible(url2)
  log: group g generation 0, no members
advance 10
  w: generation 1, sessioned, leader w, members w(url)
sync w assign=w:tasks
  log: group g generation 1, sessioned, leader w, w="tasks"
  w: assigned "tasks"
describe
  g: Stable connect sessioned
    w "url" assigned "tasks"
commit w t-0=5
  log: offset g t-0 5
  w: t-0 ok
forget t-0
  NON_EMPTY_GROUP
`,
)
