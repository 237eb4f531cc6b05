// What members of groups say, in the language of src/groups/conversation.test.kit.ts. Each command takes a quarter of a second at least, so
// time-outs of seconds are long enough to be sure of what comes first. Where Kafka leaves an order to its hash maps (a tie
// of votes, the next leader, many members at once) nothing is asked.

export const conversations: Readonly<Record<string, string>> = {
  'from beginning to end': `
join a
join a
sync a assign=a:t-0
heartbeat a
commit a t-0=5,u-1=6 metadata=note
fetch t-0,t-1,u-1
fetch
describe
describe v=6
list
list states=stable
list states=Empty,Dead
list types=classic
list types=consumer
delete
forget t-0
leave a
heartbeat a
describe
fetch
forget t-0
fetch
delete
describe
describe v=6
fetch
`,
  'old versions': `
join a v=0 session=10000
sync a assign=a:all v=0
describe v=0
join b v=2 protocols=range(b)
heartbeat a
join a v=1 protocols=range(a)
sync b v=1
sync a assign=a:x,b:y v=2
leave b v=0
heartbeat a
leave a v=2
describe
`,
  'three members vote and rebalance': `
join a v=3 protocols=range(1),rr(2)
sync a assign=a:all
join b v=3 protocols=rr(3),range(4)
join a v=3 protocols=rr(2),range(1)
sync b
sync a assign=a:x,b:y
join c v=3 protocols=rr(5),range(6),sticky(7)
heartbeat a
commit b t-0=7
sync b
join b v=3 protocols=rr(3),range(4)
join a v=3 protocols=rr(2),range(1)
commit a t-0=8
heartbeat a
sync c
sync a assign=a:x,b:y,c:z
sync b
describe
commit a t-0=9
commit a t-0=10 gen=1
commit - t-0=11
commit stranger t-0=12 gen=3
fetch t-0
`,
  'late for the rebalance': `
join a v=3 rebalance=3000
sync a assign=a:x
join b v=3 rebalance=3000
join a v=3 rebalance=3000
sync b
sync a assign=a:x,b:y
join a v=3 rebalance=3000
advance 3500
heartbeat b
describe
sync a assign=a:x
describe
`,
  'late with SyncGroup': `
join a v=3 rebalance=2500
sync a assign=a:x
join b v=3 rebalance=2500
join a v=3 rebalance=2500
sync a assign=a:x,b:y
advance 3000
heartbeat a
heartbeat b
join a v=3 rebalance=2500
`,
  'a leader that never assigns': `
join a v=3 rebalance=2500
sync a assign=a:x
join b v=3 rebalance=2500
join a v=3 rebalance=2500
sync b
advance 3000
join b v=3 rebalance=2500
describe
`,
  'a session ends': `
join a v=3 session=2000
sync a assign=a:x
heartbeat a
heartbeat a
describe
advance 2500
describe
heartbeat a
commit a t-0=1
commit - t-0=1
fetch
`,
  'a session ends while others live': `
join a v=3 session=30000
sync a assign=a:x
join b v=3 session=2500
join a v=3 session=30000
sync b
sync a assign=a:x,b:y
heartbeat a
advance 3000
heartbeat a
join a v=3 session=30000
`,
  'lost answers': `
join a v=3
sync a assign=a:x
join b v=3
join a v=3
join b v=3
join a v=3
join b v=3 protocols=range(other)
join a v=3
sync a assign=a:x,b:y
sync b
sync b
join b v=3 protocols=range(other)
sync b
join b v=3 protocols=range(new)
join a v=3
`,
  protocols: `
join a v=3 protocols=range(x),rr(y)
join b v=3 protocols=sticky(z)
join b v=3 type=connect protocols=range(x)
join c v=3 type=connect protocols=rr(c) group=other
join e v=3 type= group=third
sync a type=connect
sync a protocol=rr
sync a v=5
sync a v=5 type=consumer protocol=range assign=a:x
`,
  nonsense: `
join a v=3 session=499
join a v=3 session=1800001
join a v=3 group=
join a v=3 id=unknown
sync a
heartbeat a
leave a
leave a v=2
sync a group=
heartbeat a group=
leave a group=
leave a group= v=2
commit a t-0=1 gen=3
commit a t-0=1 gen=3 v=8
commit - x-0=1,t-0=1,t-9=1
fetch
forget t-0,x-0
forget t-0 group=none
delete group=none
describe group=none
list
`,
  'simple offsets': `
commit - t-0=5
commit - t-0=6 v=2
commit - t-1=7 v=4 retention=60000
commit stranger t-0=8 gen=0
fetch
describe
list
join a v=3
commit - t-0=9
sync a assign=a:x
commit - t-0=9
commit - t-0=9 gen=1
commit a t-0=10
fetch
`,
  'subscriptions protect offsets': `
join a v=3 protocols=range(topics:t+u)
sync a assign=a:x
commit a t-0=1,u-0=2,v-0=3
forget t-0,v-0
fetch
leave a
forget t-0
fetch
`,
  'other protocols protect all offsets': `
join w v=2 type=connect protocols=sessioned(url),compatible(url2)
sync w assign=w:tasks
describe
commit w t-0=5
forget t-0
delete
`,
  'cooperative rebalancing': `
join a protocols=cooperative(topics:t)
join a protocols=cooperative(topics:t)
sync a assign=a:t-0+t-1
join b protocols=cooperative(topics:t)
join b protocols=cooperative(topics:t)
heartbeat a
commit a t-0=3
join a protocols=cooperative(topics:t+u)
sync b
sync a assign=a:t-0,b:nothing-yet
join a protocols=cooperative(topics:u)
heartbeat b
join b protocols=cooperative(topics:t)
sync b
sync a assign=a:t-0,b:t-1
describe
`,
  'ids that are never used': `
join a v=5
join a v=5
sync a assign=a:x
join b v=5 session=2000
join a v=5
advance 2500
join b v=5
leave b
`,
  'a full group': `
join a v=3
sync a assign=a:x
join b v=3
join c v=3
join a v=3
join d v=3
join a v=3
join b v=3
join c v=3
join e v=3
describe
`,
  'a restarted static member': `
join a instance=i1 id=new
sync a instance=i1 assign=i1:x
join b instance=i2 id=new
join a instance=i1
sync b instance=i2
sync a instance=i1 assign=i1:x,i2:y
join b2 instance=i2
heartbeat b instance=i2
commit b t-0=1 instance=i2
sync b instance=i2
join b instance=i2
leave b instance=i2
sync b2 instance=i2
heartbeat b2 instance=i2
commit b2 t-0=2 instance=i2
describe
`,
  'a restarted static leader': `
join a instance=i1 id=new
sync a instance=i1 assign=i1:x
join a2 v=9 instance=i1 protocols=range(a)
join a3 v=8 instance=i1 protocols=range(a)
join a4 v=5 instance=i1 protocols=range(changed)
sync a4 instance=i1
describe
`,
  'a static member with another protocol': `
join a instance=i1 id=new protocols=range(a),rr(a)
sync a instance=i1 assign=i1:x
join b instance=i2 id=new protocols=range(b),rr(b)
join a instance=i1 protocols=range(a),rr(a)
sync b instance=i2
sync a instance=i1 assign=i1:x,i2:y
join b2 instance=i2 protocols=rr(b)
heartbeat a instance=i1
join a instance=i1 protocols=range(a),rr(a)
`,
  'a static member replaced while others wait for it': `
join a instance=i1 id=new
sync a instance=i1 assign=i1:x
join b instance=i2 id=new
join a instance=i1
sync b instance=i2
join b2 instance=i2
sync a instance=i1 assign=i1:x,i2:y
join a instance=i1
sync b2 instance=i2
sync a instance=i1 assign=i1:x
join a instance=i1
join b2 instance=i2
join b3 instance=i2
`,
  'a static member replaced while it waits in a rebalance': `
join a instance=i1 id=new
sync a instance=i1 assign=i1:x
join b instance=i2 id=new
join b2 instance=i2
join a instance=i1
`,
  'a static member misses a rebalance': `
join a instance=i1 id=new rebalance=2500 session=30000
sync a instance=i1 assign=i1:x
join b instance=i2 id=new rebalance=2500 session=5000
join a instance=i1 rebalance=2500 session=30000
sync b instance=i2
sync a instance=i1 assign=i1:x,i2:y
join a instance=i1 rebalance=2500 session=30000
advance 3000
describe
sync a instance=i1 assign=i1:x,i2:y
heartbeat b instance=i2
advance 5500
describe
`,
  'static members are thrown out': `
join a instance=i1 id=new
sync a instance=i1 assign=i1:x
join b instance=i2 id=new
join a instance=i1
sync b instance=i2
sync a instance=i1 assign=i1:x,i2:y
leave /i2,/i3
heartbeat a instance=i1
leave /i1
describe
`,
  'ids that do not belong together': `
join a instance=i1 id=new
join a instance=i2
join x instance=i1 id=made-up
heartbeat a instance=i2
heartbeat a instance=i1 gen=7
leave a instance=i2
leave a instance=i1
describe
`,
  'who waits when its member goes': `
join a v=3
sync a assign=a:x
join b v=3
join a v=3
leave b
join a v=3
sync a assign=a:x
describe
`,
}
