#!/usr/bin/env bash
# A person's way through the console in a real Chromium: run.sh [--pictures DIR] [--messages N]. Builds first what is not
# built; needs Chromium (Debian: chromium).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
cache="${OTTLA_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ottla}/console"
(cd "$root" && npm run -s build)
mkdir -p "$cache"
cp "$here"/{package.json,package-lock.json,person.js} "$cache"
(cd "$cache" && npm ci --no-audit --no-fund --loglevel=error)
exec node "$cache/person.js" --root "$root" "$@"
