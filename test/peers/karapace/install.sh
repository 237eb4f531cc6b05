#!/usr/bin/env bash
# Puts Karapace (a REST proxy for Apache Kafka, Apache-2.0) into $PEERS_HOME: its source by git, what it stands on from
# PyPI. Idempotent. Needs: git, Python 3.12 or newer. Prints version=.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd); . "$here/env.sh"
[ ! -f "$KARAPACE_HOME/.complete" ] || { echo "version=$KARAPACE_VERSION"; exit 0; }

new_enough() { "$1" -c 'import sys, venv; sys.exit(sys.version_info < (3, 12))' 2> /dev/null; }
python=
for each in ${PYTHON:+"$PYTHON"} python3 python3.14 python3.13 python3.12; do
  if new_enough "$each"; then python=$each; break; fi
done
[ -n "$python" ] || { echo 'Karapace needs Python 3.12 or newer: name it with PYTHON=' >&2; exit 1; }

rm -rf "$KARAPACE_HOME"; mkdir -p "$KARAPACE_HOME"
git clone -q --no-checkout --branch "$KARAPACE_VERSION" "$KARAPACE_SOURCE" "$KARAPACE_HOME/source" 2> /dev/null
git -C "$KARAPACE_HOME/source" sparse-checkout set --no-cone /src /requirements
git -C "$KARAPACE_HOME/source" checkout -q "$KARAPACE_VERSION"
echo "__version__ = '$KARAPACE_VERSION'" > "$KARAPACE_HOME/source/src/karapace/version.py"
"$python" -m venv "$KARAPACE_HOME/venv"
# The lock file names every package. Its own fork of avro is about schemas, which are not used here: the released one will do.
sed 's/^avro @.*/avro==1.12.0/' "$KARAPACE_HOME/source/requirements/requirements.txt" > "$KARAPACE_HOME/requirements.txt"
"$KARAPACE_HOME/venv/bin/pip" --disable-pip-version-check -q install --no-deps -r "$KARAPACE_HOME/requirements.txt"

# So is its library for protobuf schemas, which would need Go: something else takes its name.
mkdir "$KARAPACE_HOME/stand-in"
cat > "$KARAPACE_HOME/stand-in/sitecustomize.py" <<'P'
import sys, types

protopace = types.ModuleType('karapace.core.protobuf.protopace.protopace')
protopace.Proto = type('Proto', (), {})
protopace.IncompatibleError = type('IncompatibleError', (Exception,), {})
protopace.check_compatibility = protopace.format_proto = None
sys.modules[protopace.__name__] = protopace
P
touch "$KARAPACE_HOME/.complete"
echo "version=$KARAPACE_VERSION"
