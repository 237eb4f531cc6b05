#!/usr/bin/env bash
# A thousand subscribers of one topic, and a node that is killed under them: load.sh [options]; see events-load.ts. Builds
# first what is not built.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
(cd "$root" && npm run -s build)
exec node "$root/dist/test/gateway/events-load.js" "$@"
