#!/usr/bin/env bash
# Puts what drives a browser beside its packages, and says where that is. Does nothing where the lock file is the same as last
# time. Needs node and npm.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache="${OTTLA_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ottla}/console"
stamp="$cache/node_modules/.stamp"
mkdir -p "$cache"
cp "$here"/{package.json,package-lock.json} "$here"/*.js "$cache"
now=$(cat "$here"/{package.json,package-lock.json} | sha256sum)
if [ ! -f "$stamp" ] || [ "$(cat "$stamp")" != "$now" ]; then
  (cd "$cache" && npm ci --no-audit --no-fund --loglevel=error >&2)
  echo "$now" > "$stamp"
fi
echo "$cache"
