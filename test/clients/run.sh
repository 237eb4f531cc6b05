#!/usr/bin/env bash
# Runs real clients against a broker, see --help and README.md. Builds first what is not built.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
if [ ! -f "$root/dist/test/clients/run.js" ] || [ -n "$(find "$root/test/clients" "$root/src" -name '*.ts' -newer "$root/dist/test/clients/run.js" -print -quit)" ]; then
  (cd "$root" && npm run -s build)
fi
exec node "$root/dist/test/clients/run.js" "$@"
