#!/usr/bin/env bash
# start.sh --port 28082 --bootstrap 127.0.0.1:29092 --dir DIR   Karapace's REST proxy in front of a broker, in the background.
# Prints, when it answers: url=, pids=. Its output goes to DIR/karapace.log.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd); . "$here/env.sh"
port=28082 bootstrap=127.0.0.1:29092 dir=
while [ $# -gt 0 ]; do case $1 in
  --port) port=$2; shift 2;; --bootstrap) bootstrap=$2; shift 2;; --dir) dir=$2; shift 2;;
  *) echo "unknown option $1" >&2; exit 2;;
esac; done
[ -f "$KARAPACE_HOME/.complete" ] || "$here/install.sh" >&2
dir=${dir:-$(mktemp -d)}; mkdir -p "$dir"

# Its own example for the proxy, and what would hold it up: logging of each request, a producer that waits 100 ms for more.
export KARAPACE_HOST=127.0.0.1 KARAPACE_PORT=$port KARAPACE_BOOTSTRAP_URI=$bootstrap KARAPACE_KARAPACE_REST=true \
  KARAPACE_LOG_LEVEL=WARNING KARAPACE_PRODUCER_LINGER_MS=0 KARAPACE_PRODUCER_ACKS=all
cd "$dir"
export PYTHONPATH="$KARAPACE_HOME/source/src:$KARAPACE_HOME/stand-in"
nohup "$KARAPACE_HOME/venv/bin/python" -m karapace.kafka_rest_apis > karapace.log 2>&1 < /dev/null &
pid=$!
answers() { ( exec 3<>"/dev/tcp/127.0.0.1/$port"; printf 'GET /brokers HTTP/1.0\r\n\r\n' >&3; head -c 12 <&3 | grep -q ' 200' ) 2> /dev/null; }
for _ in $(seq 300); do
  ! answers || { printf 'url=http://127.0.0.1:%s\npids=%s\n' "$port" "$pid"; exit 0; }
  kill -0 "$pid" 2> /dev/null || { tail -20 karapace.log >&2; exit 1; }
  sleep 0.2
done
kill "$pid"; tail -20 karapace.log >&2; echo 'Karapace does not answer' >&2; exit 1
