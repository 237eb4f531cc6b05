#!/usr/bin/env bash
# A producer in Java, workers over HTTP and gRPC of which some are killed, and a browser that shows it: run.sh [options], see
# together.ts. Builds and installs first what is missing; needs Java, Maven and Chromium (Debian: chromium).
set -euo pipefail
root=$(cd "$(dirname "$0")/../../.." && pwd)
cd "$root"
npm run -s build
test/peers/kafka/install.sh > /dev/null
cache=$(test/console/install.sh)
exec node dist/test/gateway/together/together.js --watch "$cache/watch.js" "$@"
