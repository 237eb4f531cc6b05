#!/usr/bin/env bash
# Asks a node what /openapi.json says can be asked, right and wrong, and compares what comes back with what is documented:
# no 5xx, no undocumented status, header, type or body. Needs Python 3 with venv.
#
#   test/gateway/openapi.sh [port] [examples]
set -euo pipefail
cd "$(dirname "$0")/../.."
port=${1:-19092} examples=${2:-30}
work=$(mktemp -d)
node=
cleanup() {
  [[ -z $node ]] || kill "$node" 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT

node scripts/setup.js
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check 'schemathesis>=4,<5'
node bin/ottla.js --port "$port" --memory >"$work/log" &
node=$!
for _ in $(seq 100); do
  curl --silent --fail --output /dev/null "localhost:$port/health" && break
  sleep 0.1
done

# Streams of events have no end, and a console is no operation.
"$work/venv/bin/schemathesis" run "http://localhost:$port/openapi.json" --no-color --max-examples "$examples" \
  --request-timeout 20 --exclude-path-regex '/events$|^/console|^/$' \
  --checks not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance
! grep --extended-regexp 'failed unexpectedly' "$work/log"
