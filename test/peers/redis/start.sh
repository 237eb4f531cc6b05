#!/usr/bin/env bash
# start.sh [PORT [DIR [OPTION...]]]   Redis on 127.0.0.1 in the foreground, as a metadata log needs it: every write is on
# the disk before it is acknowledged. Ctrl-C ends it.   ottla start --orderer redis://127.0.0.1:PORT
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
port=${1:-6379} dir=${2:-$(mktemp -d)}
mkdir -p "$dir"
exec "$("$here/install.sh")" --bind 127.0.0.1 --port "$port" --dir "$dir" --appendonly yes --appendfsync always --save '' "${@:3}"
