#!/usr/bin/env bash
# start.sh --port 28080 --bootstrap 127.0.0.1:29092 --dir DIR   The bridge in front of a broker, in the background.
# Prints, when it answers: url=, pids=. Its output goes to DIR/kafka-bridge.log.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd); . "$here/env.sh"
port=28080 bootstrap=127.0.0.1:29092 dir=
while [ $# -gt 0 ]; do case $1 in
  --port) port=$2; shift 2;; --bootstrap) bootstrap=$2; shift 2;; --dir) dir=$2; shift 2;;
  *) echo "unknown option $1" >&2; exit 2;;
esac; done
[ -f "$KAFKA_BRIDGE_HOME/.complete" ] || "$here/install.sh" >&2
dir=${dir:-$(mktemp -d)}; mkdir -p "$dir"

# Its own config/application.properties, and: what a poll gives is one record, as a worker's request for one is.
cat > "$dir/application.properties" <<P
bridge.id=bridge
kafka.bootstrap.servers=$bootstrap
kafka.producer.acks=all
kafka.consumer.auto.offset.reset=earliest
kafka.consumer.max.poll.records=1
http.host=127.0.0.1
http.port=$port
P
nohup "$JAVA" -Dvertx.cacheDirBase="$dir/vertx" -Dlog4j2.configurationFile="$here/../kafka/log4j2-tools.properties" \
  -cp "$KAFKA_BRIDGE_HOME/source/target/classes:$KAFKA_BRIDGE_HOME/libs/*" io.strimzi.kafka.bridge.Application \
  --config-file="$dir/application.properties" > "$dir/kafka-bridge.log" 2>&1 < /dev/null &
pid=$!
answers() { ( exec 3<>"/dev/tcp/127.0.0.1/$port"; printf 'GET /topics HTTP/1.0\r\n\r\n' >&3; head -c 12 <&3 | grep -q ' 200' ) 2> /dev/null; }
for _ in $(seq 300); do
  ! answers || { printf 'url=http://127.0.0.1:%s\npids=%s\n' "$port" "$pid"; exit 0; }
  kill -0 "$pid" 2> /dev/null || { tail -20 "$dir/kafka-bridge.log" >&2; exit 1; }
  sleep 0.2
done
kill "$pid"; tail -20 "$dir/kafka-bridge.log" >&2; echo 'the bridge does not answer' >&2; exit 1
