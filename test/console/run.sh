#!/usr/bin/env bash
# A person's way through the console in a real Chromium: run.sh [--pictures DIR] [--messages N]. Builds first what is not
# built; needs Chromium (Debian: chromium).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
(cd "$root" && npm run -s build)
cache=$("$here/install.sh")
exec node "$cache/person.js" --root "$root" "$@"
