#!/usr/bin/env bash
# Runs real clients against a broker, see --help and README.md. Builds first what is not built.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
(cd "$root" && npm run -s build)
exec node "$root/dist/test/clients/run.js" "$@"
