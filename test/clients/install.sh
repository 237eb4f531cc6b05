#!/usr/bin/env bash
# Puts what the client matrix needs into ${OTTLA_CACHE:-~/.cache/ottla}/clients: install.sh node|python|go|java|kcat ...
# Does nothing where the lock files are the same as last time. Needs node and npm; python3; go; java and mvn.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache="${OTTLA_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ottla}/clients"
java_clients="4.4.0"   # beside the release that test/peers/kafka pins
mkdir -p "$cache"

stamped() { # stamp-file input...: true when nothing changed since "stamp" was called
  local stamp=$1; shift
  [ -f "$stamp" ] && [ "$(cat "$@" | sha256sum)" = "$(cat "$stamp")" ]
}
stamp() { local stamp=$1; shift; cat "$@" | sha256sum > "$stamp"; }

# The agents run from the cache, beside their packages: nothing is installed into the checkout.
node_clients() {
  local at="$cache/node" files=("$here/node/package.json" "$here/node/package-lock.json")
  mkdir -p "$at"
  cp "$here"/node/*.js "${files[@]}" "$at"
  stamped "$at/node_modules/.stamp" "${files[@]}" && return
  (cd "$at" && npm ci --no-audit --no-fund --loglevel=error)
  stamp "$at/node_modules/.stamp" "${files[@]}"
}

python_clients() {
  local venv="$cache/python" need="$here/python/requirements.txt"
  stamped "$venv/.stamp" "$need" && return
  rm -rf "$venv"
  "${PYTHON:-python3}" -m venv "$venv"
  "$venv/bin/pip" install -q --disable-pip-version-check -r "$need"
  stamp "$venv/.stamp" "$need"
}

go_clients() {
  local files=("$here"/go/*.go "$here/go/go.mod" "$here/go/go.sum")
  [ -x "$cache/go-agent" ] && stamped "$cache/go-agent.stamp" "${files[@]}" && return
  (cd "$here/go" && go build -o "$cache/go-agent" .)
  stamp "$cache/go-agent.stamp" "${files[@]}"
}

java_clients() {
  "$here/../peers/kafka/install.sh" > /dev/null
  # shellcheck source=../peers/kafka/env.sh
  . "$here/../peers/kafka/env.sh"
  local version jar
  for version in $java_clients; do
    jar="$cache/kafka-clients-$version.jar"
    [ -f "$jar" ] || mvn -B -q -Dstyle.color=never dependency:copy "-Dartifact=org.apache.kafka:kafka-clients:$version" "-DoutputDirectory=$cache"
  done
  stamped "$cache/java/.stamp" "$here"/java/*.java && return
  mkdir -p "$cache/java"
  javac -d "$cache/java" -cp "$KAFKA_LIBS/*" "$here"/java/*.java
  stamp "$cache/java/.stamp" "$here"/java/*.java
}

kcat_client() {
  command -v kcat > /dev/null && return
  [ "$(id -u)" = 0 ] || { echo "kcat is missing and only root can install it (apt-get install kcat)" >&2; return 1; }
  { apt-get install -y -qq kcat || { apt-get update -qq && apt-get install -y -qq kcat; }; } > /dev/null
}

for what in "${@:-}"; do
  case $what in
    node) node_clients;; python) python_clients;; go) go_clients;; java) java_clients;; kcat) kcat_client;;
    *) echo "usage: install.sh node|python|go|java|kcat ..." >&2; exit 2;;
  esac
done
