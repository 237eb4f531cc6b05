#!/usr/bin/env bash
# A node, and around it grpcurl, a client in Python and one in Go, as generated from the .proto files: run.sh. Builds and
# installs first what is missing. Says what failed, and fails then.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
cache="${OTTLA_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ottla}/grpc-clients"
port=${PORT:-19080}
(cd "$root" && npm run -s build)
"$here/install.sh"

# The settings of a node are variables of that kind, too.
env -u OTTLA_CACHE node "$root/bin/ottla.js" start --port "$port" --data memory --set num.partitions=2 > "$cache/node.log" 2>&1 &
node=$!
trap 'kill "$node" 2> /dev/null || true; wait "$node" 2> /dev/null || true' EXIT
grpcurl() { "$cache/bin/grpcurl" -plaintext -max-time 20 "$@"; }
address="127.0.0.1:$port"
for _ in $(seq 60); do
  kill -0 "$node" || { cat "$cache/node.log" >&2; exit 1; }
  grpcurl -connect-timeout 1 "$address" grpc.health.v1.Health/Check > /dev/null 2>&1 && break
  sleep 0.2
done

failed=0
# expect WHAT PATTERN ARGUMENTS...: what grpcurl says holds that.
expect() {
  local what=$1 pattern=$2 said; shift 2
  said=$(grpcurl "$@" 2>&1) || true
  if grep -qE -- "$pattern" <<< "$said"; then echo "grpcurl: $what"
  else echo "FAILED grpcurl: $what: $said"; failed=1; fi
}
expect 'lists the services, by reflection' '^broker\.Broker$' "$address" list
expect 'describes a method' 'rpc Publish' "$address" describe broker.Broker
expect 'describes an optional field' 'optional bytes key' "$address" describe ottla.v1.NewRecord
expect 'describes a map' 'map<string, .*HealthCheckResponse>' "$address" describe grpc.health.v1.HealthListResponse
expect 'health' '"SERVING"' "$address" grpc.health.v1.Health/Check
expect 'Publish' '^\{\}$|"id": 0' -d '{"subject":"curl","body":"aGVsbG8="}' "$address" broker.Broker/Publish
expect 'Publish again' '"id": 1' -d '{"subject":"curl","body":"aGVsbG8="}' "$address" broker.Broker/Publish
expect 'Fetch' '"body": "aGVsbG8="' -d '{"subject":"curl","id":1}' "$address" broker.Broker/Fetch
expect 'Fetch of nothing, with details' 'OFFSET_OUT_OF_RANGE|NotFound' -d '{"subject":"curl","id":9}' "$address" broker.Broker/Fetch
expect 'Broadcast' '"ack": true' -d '{"subject":"curl","body":"aGVsbG8="}' "$address" broker.Broker/Broadcast
expect 'IncIdx' '^\{\}$' -d '{"subject":"curl"}' "$address" broker.Broker/IncIdx
expect 'IncIdx again' '"newIdx": 1' -d '{"subject":"curl"}' "$address" broker.Broker/IncIdx
expect 'Consume' '"offset": "1"' -d '{"topic":"curl","from":"FROM_EARLIEST","maxRecords":3}' "$address" ottla.v1.Records/Consume
expect 'Pull' '"deliveryCount": 1' -d '{"topic":"curl","max":1,"waitMs":5000}' "$address" ottla.v1.Leases/Pull
expect 'a method that is not there' 'Unimplemented|does not include' "$address" broker.Broker/Nothing

PYTHONPATH="$cache/python-client" "$cache/python/bin/python" "$cache/python-client/client.py" "$address" || failed=1
"$cache/bin/grpc-go" "$address" || failed=1
exit "$failed"
