/**
 * What must be one atomic step, in Redis' Lua. Keys: 1 the head (a hash), 2 the lease (a string that expires), 3 the log
 * (a stream; an entry's id is the offset after its last record). Each answers with a word and the head as it then is.
 *
 * `source` is Redis' replication id, which changes when a server starts and when a replica takes over; `confirmed` is the
 * one under which the log was known to be whole. A copy carries the `confirmed` of its primary, so it gives itself away.
 * That it is no copy it proves by what was noted then: it had none (and cannot have got one since, which gives it another
 * replication id), or it is the same process; and it has never been one (which leaves a second replication id).
 */
const common = `
local head = {}
local function read()
  local flat = redis.call('HGETALL', KEYS[1])
  for i = 1, #flat, 2 do head[flat[i]] = flat[i + 1] end
end
local info = redis.call('INFO', 'replication')
local function source()
  return string.match(info, 'master_replid:(%w+)') or ''
end
local function run()
  return string.match(redis.call('INFO', 'server'), 'run_id:(%w+)') or ''
end
local function alone()
  local none = string.find(info, 'connected_slaves:0%s') and string.find(info, 'repl_backlog_active:0%s')
  return none and '1' or '0'
end
local function same()
  if head.confirmed == source() or not string.find(info, 'master_replid2:0+%s') then return 0 end
  return (head.alone == '1' or (head.run or '') ~= '' and head.run == run()) and 1 or 0
end
local function answer(word, more)
  return { word, redis.call('HGETALL', KEYS[1]), redis.call('PTTL', KEYS[2]), source(), more or {}, same() }
end
-- Never an error: it comes behind writes, which cannot be taken back.
local function tell()
  local heard = redis.pcall('PUBLISH', KEYS[1], '')
  return type(heard) == 'number' and heard or 0
end
-- Whether a leadership is still the last one: its epoch, and its nonce for a server that forgot and gave the epoch anew.
local function refused(epoch, nonce)
  if head.confirmed ~= source() then return 'moved' end
  if head.epoch ~= epoch or head.nonce ~= nonce then return 'fenced' end
  return nil
end
read()
`

/** ARGV: an offset, entries and bytes at most. The head, and the first entries above the offset; `none`: there is no log. */
export const look = `${common}
if not head.log then return answer('none') end
local some, bytes = {}, 0
for i, entry in ipairs(redis.call('XRANGE', KEYS[3], '(' .. ARGV[1] .. '-0', '+', 'COUNT', ARGV[2])) do
  -- Fields in the order of XADD: the bytes come last.
  bytes = bytes + #entry[2][8]
  if i > 1 and bytes > tonumber(ARGV[3]) then break end
  some[i] = entry
end
return answer('ok', some)
`

/** ARGV: log id, cluster id. */
export const create = `${common}
if head.log then return answer('ok') end
redis.call('DEL', KEYS[3])
redis.call('HSET', KEYS[1], 'format', '1', 'log', ARGV[1], 'cluster', ARGV[2], 'epoch', '0', 'nonce', '', 'leader', '',
  'end', '0', 'hash', '', 'safe', '0', 'batch', '', 'start', '0', 'snapshot', '', 'confirmed', source(), 'alone', alone(), 'run', run())
return answer('ok')
`

/** ARGV: log id, nonce, leader, ms, whether all that is there is safe by it, earlier nonces of the same node. */
export const acquire = `${common}
if head.log ~= ARGV[1] then return answer('fenced') end
if head.confirmed ~= source() then return answer('moved') end
if not redis.call('SET', KEYS[2], ARGV[2], 'NX', 'PX', ARGV[4]) then
  local holder, ours = redis.call('GET', KEYS[2]), false
  for i = 6, #ARGV do ours = ours or holder == ARGV[i] end
  if not ours then return answer('held') end
  redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[4])
end
redis.call('HINCRBY', KEYS[1], 'epoch', 1)
redis.call('HSET', KEYS[1], 'nonce', ARGV[2], 'leader', ARGV[3], 'batch', '')
if ARGV[5] == '1' then redis.call('HSET', KEYS[1], 'safe', head['end']) end
return answer('ok')
`

/** ARGV: epoch, nonce, ms. */
export const renew = `${common}
local no = refused(ARGV[1], ARGV[2])
if no then return answer(no) end
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
return answer('ok')
`

/** ARGV: nonce. The answer's last part: how many have heard it. */
export const release = `${common}
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return answer('fenced', 0) end
redis.call('DEL', KEYS[2])
return answer('ok', tell())
`

/**
 * ARGV: epoch, nonce, end and hash before, batch id, end and hash after, whether it is safe by that; then end, hash before,
 * bytes of each entry.
 */
export const append = `${common}
local no = refused(ARGV[1], ARGV[2])
if no then return answer(no) end
if head.batch == ARGV[5] then
  -- Written anew, so that WAIT waits for it.
  redis.call('HSET', KEYS[1], 'batch', ARGV[5])
  return answer('ok')
end
if head['end'] ~= ARGV[3] or head.hash ~= ARGV[4] then return answer('conflict') end
for i = 9, #ARGV, 3 do
  redis.call('XADD', KEYS[3], ARGV[i] .. '-0', 'e', ARGV[1], 'b', ARGV[5], 'p', ARGV[i + 1], 'd', ARGV[i + 2])
end
redis.call('HSET', KEYS[1], 'end', ARGV[6], 'hash', ARGV[7], 'batch', ARGV[5])
if ARGV[8] == '1' then
  redis.call('HSET', KEYS[1], 'safe', ARGV[6])
  tell()
end
return answer('ok')
`

/** ARGV: epoch, nonce, an offset up to which the log has as many copies as were asked for. */
export const count = `${common}
local no = refused(ARGV[1], ARGV[2])
if no then return answer(no) end
redis.call('HSET', KEYS[1], 'safe', ARGV[3])
tell()
return answer('ok')
`

/** ARGV: source, node. */
export const vouch = `${common}
if not head.log then return answer('fenced') end
if source() ~= ARGV[1] then return answer('moved') end
redis.call('HSET', KEYS[1], 'vouch:' .. ARGV[2], ARGV[1])
tell()
return answer('ok')
`

/**
 * ARGV: log id, end, hash, nonce as they were seen, source, an epoch to go over or nothing. Epochs that a lost past may have
 * given are left out.
 */
export const confirm = `${common}
if head.log ~= ARGV[1] then return answer('fenced') end
if source() ~= ARGV[5] then return answer('moved') end
if head.confirmed == ARGV[5] and ARGV[6] == '' then return answer('ok') end
if head['end'] ~= ARGV[2] or head.hash ~= ARGV[3] or head.nonce ~= ARGV[4] then return answer('conflict') end
local epoch = math.max(tonumber(head.epoch), tonumber(ARGV[6]) or 0) + 1000
redis.call('HSET', KEYS[1], 'confirmed', ARGV[5], 'epoch', string.format('%d', epoch), 'alone', alone(), 'run', run())
for field in pairs(head) do
  if string.find(field, '^vouch:') then redis.call('HDEL', KEYS[1], field) end
end
redis.call('DEL', KEYS[2])
tell()
return answer('ok')
`

/** KEYS 4: the snapshot's chunks, under a name of their own yet. ARGV: epoch, nonce, snapshot, start, prefix of their keys. */
export const putSnapshot = `${common}
local no = refused(ARGV[1], ARGV[2])
if no then return answer(no) end
local function key(snapshot) return ARGV[5] .. string.match(snapshot, '^%d+') end
redis.call('RENAME', KEYS[4], key(ARGV[3]))
redis.call('PERSIST', key(ARGV[3]))
if (head.former or '') ~= '' and head.former ~= ARGV[3] then redis.call('DEL', key(head.former)) end
redis.call('HSET', KEYS[1], 'snapshot', ARGV[3], 'former', head.snapshot, 'start', ARGV[4])
redis.call('XTRIM', KEYS[3], 'MINID', '=', (ARGV[4] + 1) .. '-0')
return answer('ok')
`
