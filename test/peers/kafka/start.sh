#!/usr/bin/env bash
# Starts Kafka on 127.0.0.1 (KRaft, combined broker+controller) and waits until it serves.
#   start.sh [--nodes 1|3] [--port 29092] [--dir DIR] [--only N] [-- key=value ...]
# Brokers listen on PORT, PORT+1, ...; controllers on PORT+10, PORT+11, ...
# --dir    state and logs (default: a new temporary folder). An existing DIR is restarted as it was, not formatted.
# --only N starts just node N (1..) of a DIR made before, e.g. after a kill.
# After --: lines for server.properties, overriding those below; on a restart they are added to those kept.
# Prints, one per line: bootstrap=, pids=, dir=, format_ms=, exec_epoch_ms=, ready_ms= (from exec of java).
# shellcheck disable=SC1007,SC2086,SC2231  # option strings are meant to be split into words
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd); . "$here/env.sh"
nodes=1 port=29092 dir= only=
while [ $# -gt 0 ]; do case $1 in
  --nodes) nodes=$2; shift 2;; --port) port=$2; shift 2;; --dir) dir=$2; shift 2;;
  --only) only=$2; shift 2;; --) shift; break;; *) echo "unknown option $1" >&2; exit 2;;
esac; done
[ -f "$KAFKA_LIBS/.complete" ] || "$here/install.sh" >&2
dir=${dir:-$(mktemp -d)}; mkdir -p "$dir"; dir=$(cd "$dir" && pwd)
now() { echo $(( ${EPOCHREALTIME/./} / 1000 )); }
uuid() { echo "A$(head -c 16 /dev/urandom | base64 | tr '+/' 'xy' | cut -c1-20)A"; }  # Kafka's 22 character form

# Configuration: Kafka's own config/server.properties, plus addresses and replication.
[ -f "$dir/ids" ] || { uuid; for i in $(seq "$nodes"); do uuid; done; } > "$dir/ids"   # cluster id, directory ids
[ -f "$dir/port" ] || echo "$port" > "$dir/port"; port=$(<"$dir/port")
mapfile -t ids < "$dir/ids"; nodes=$(( ${#ids[@]} - 1 ))
rf=$(( nodes < 3 ? nodes : 3 )) isr=$(( nodes < 2 ? 1 : 2 ))
controllers= voters= bootstrap=
for i in $(seq "$nodes"); do
  bootstrap+=,127.0.0.1:$((port+i-1)) controllers+=,127.0.0.1:$((port+9+i))
  voters+=,$i@127.0.0.1:$((port+9+i)):${ids[$i]}
done
bootstrap=${bootstrap#,} controllers=${controllers#,} voters=${voters#,}
for i in $(seq "$nodes"); do
  [ -f "$dir/node$i/server.properties" ] && { printf '%s\n' "$@" >> "$dir/node$i/server.properties"; continue; }
  mkdir -p "$dir/node$i"
  cat > "$dir/node$i/server.properties" <<P
process.roles=broker,controller
node.id=$i
listeners=PLAINTEXT://127.0.0.1:$((port+i-1)),CONTROLLER://127.0.0.1:$((port+9+i))
advertised.listeners=PLAINTEXT://127.0.0.1:$((port+i-1)),CONTROLLER://127.0.0.1:$((port+9+i))
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
controller.quorum.bootstrap.servers=$controllers
log.dirs=$dir/node$i/data
offsets.topic.replication.factor=$rf
transaction.state.log.replication.factor=$rf
transaction.state.log.min.isr=$isr
share.coordinator.state.topic.replication.factor=$rf
share.coordinator.state.topic.min.isr=$isr
default.replication.factor=$rf
min.insync.replicas=$isr
$(printf '%s\n' "$@")
P
done

# Format new storage.
t=$(now)
for i in ${only:-$(seq "$nodes")}; do
  [ -f "$dir/node$i/data/meta.properties" ] && continue
  "$JAVA" -Xmx256M -Dlog4j2.configurationFile="$here/log4j2-tools.properties" -cp "$KAFKA_LIBS/*" kafka.tools.StorageTool \
    format -t "${ids[0]}" -c "$dir/node$i/server.properties" --initial-controllers "$voters" > "$dir/node$i/format.log" 2>&1 \
    || { cat "$dir/node$i/format.log" >&2; exit 1; }
done
format_ms=$(( $(now) - t ))

# Runs a command without this shell's inherited files: a broker started under "flock FILE start.sh" must not keep the lock.
closing_fds() {
  for fd in /proc/$BASHPID/fd/*; do fd=${fd##*/}; if [ "$fd" -gt 2 ]; then eval "exec $fd>&-"; fi; done
  exec "$@"
}

# Start. Heap and JVM flags: Kafka's defaults (bin/kafka-server-start.sh).
t=$(now)
for i in ${only:-$(seq "$nodes")}; do
  mkdir -p "$dir/node$i/logs"
  closing_fds nohup "$JAVA" ${KAFKA_HEAP_OPTS:--Xmx1G -Xms1G} $KAFKA_JVM_PERFORMANCE_OPTS \
    -Xlog:gc*:file="$dir/node$i/logs/gc.log":time,tags:filecount=10,filesize=100M $KAFKA_JMX_OPTS \
    -Dkafka.logs.dir="$dir/node$i/logs" -Dlog4j2.configurationFile="$here/log4j2-server.properties" \
    ${KAFKA_OPTS:-} -cp "$KAFKA_LIBS/*" kafka.Kafka "$dir/node$i/server.properties" \
    > "$dir/node$i/logs/server.log" 2>&1 < /dev/null &
  echo $! > "$dir/node$i/pid"
done
cat "$dir"/node*/pid > "$dir/pids"

# Ready: a Metadata (v1, no topics) round trip to each started broker that lists that broker and at least the wanted number.
ready() { # port id wanted
  ( exec 3<>"/dev/tcp/127.0.0.1/$1" || exit 1
    printf '\0\0\0\x0e\0\x03\0\x01\0\0\0\x01\xff\xff\0\0\0\0' >&3
    hex() { timeout 5 head -c "$1" <&3 | od -An -v -tx1 | tr -d ' \n'; }
    n=$(hex 4); body=$(hex $((16#${n:-0})))                 # body: correlation id, count, (id, "127.0.0.1", port, rack)...
    [ $((16#${body:8:8})) -ge "$3" ] && [[ $body == *"$(printf '%08x0009' "$2")"* ]] ) 2>/dev/null
}
want=$nodes; [ -n "$only" ] && want=1
for i in ${only:-$(seq "$nodes")}; do
  until ready $((port+i-1)) "$i" "$want"; do
    kill -0 "$(cat "$dir/node$i/pid")" 2>/dev/null || { tail -20 "$dir/node$i/logs/server.log" >&2; echo "node $i exited" >&2; exit 1; }
    [ $(( $(now) - t )) -lt "${READY_TIMEOUT_MS:-300000}" ] || { echo "node $i not ready in time" >&2; exit 1; }
    sleep 0.02
  done
done
ready_ms=$(( $(now) - t ))
printf 'bootstrap=%s\npids=%s\ndir=%s\nformat_ms=%s\nexec_epoch_ms=%s\nready_ms=%s\n' \
  "$bootstrap" "$(paste -sd, "$dir/pids")" "$dir" "$format_ms" "$t" "$ready_ms"
