#!/usr/bin/env bash
# Types, style and tests of the Python client, at a broker of this checkout. Builds first what is not built; needs python3.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
venv="${OTTLA_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ottla}/python-client"
(cd "$root" && npm run -s build)
[ -x "$venv/bin/pytest" ] || { rm -rf "$venv"; "${PYTHON:-python3}" -m venv "$venv"; }
"$venv/bin/pip" install -q --disable-pip-version-check "${here}[test]"
"$venv/bin/ruff" check "$here"
"$venv/bin/ruff" format --check "$here"
"$venv/bin/mypy" --cache-dir "$venv/mypy" "$here/src"
exec node "$root/test/clients/at-broker.js" "$venv/bin/pytest" -q -p no:cacheprovider "$here/tests"
