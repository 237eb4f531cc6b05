#!/usr/bin/env bash
# The contract of orderers, and nodes of a cluster, with a real Redis: redis.sh [orderer|nodes]. About 1½ minutes.
set -euo pipefail
cd "$(dirname "$0")/../.."
test/peers/redis/install.sh > /dev/null
npm run -s build
files=()
[ $# -gt 0 ] || set -- orderer nodes
for name; do files+=("dist/test/cluster/$name.redis.js"); done
exec node --test --test-concurrency=1 --test-reporter=spec "${files[@]}"
