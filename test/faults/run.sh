#!/usr/bin/env bash
# Faults under load: run.sh kill|power|disk|acks|hostile|cluster|gray|wipe [options]. Builds first what is not built. See README.md.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
case "${1:-}" in kill|power|disk|acks|hostile|cluster|gray|wipe) ;; *) echo "usage: run.sh kill|power|disk|acks|hostile|cluster|gray|wipe [options]" >&2; exit 2;; esac
what=$1; shift
(cd "$root" && npm run -s build)
exec node "$root/dist/test/faults/$what.js" "$@"
