#!/usr/bin/env bash
# Makes clients of the .proto files, with the generators that people use, in ${OTTLA_CACHE:-~/.cache/ottla}/grpc-clients:
# install.sh [python|go ...]. Does nothing where nothing has changed. Go's code is generated with Python's protoc. Needs python3;
# go.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
protos=$(cd "$here/../../../src/gateway/grpc/proto" && pwd)
files=(broker.proto ottla/v1/records.proto ottla/v1/leases.proto)
cache="${OTTLA_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ottla}/grpc-clients"
mkdir -p "$cache"

sources() { (cd "$protos" && cat "${files[@]}"); cat "$@"; }
stamped() { # stamp-file input...: true when nothing changed since "stamp" was called
  local stamp=$1; shift
  [ -f "$stamp" ] && [ "$(sources "$@" | sha256sum)" = "$(cat "$stamp")" ]
}
stamp() { local stamp=$1; shift; sources "$@" | sha256sum > "$stamp"; }

protoc() { "$cache/python/bin/python" -m grpc_tools.protoc -I"$protos" "$@" "${files[@]}"; }

python() {
  local inputs=("$here/python/requirements.txt" "$here/python/client.py") venv="$cache/python" out="$cache/python-client"
  stamped "$venv/.stamp" "${inputs[@]}" && return
  rm -rf "$venv" "$out"
  "${PYTHON:-python3}" -m venv "$venv"
  "$venv/bin/pip" install -q --disable-pip-version-check -r "$here/python/requirements.txt"
  mkdir -p "$out"
  cp "$here/python/client.py" "$out"
  protoc --python_out="$out" --grpc_python_out="$out"
  stamp "$venv/.stamp" "${inputs[@]}"
}

go_() {
  local inputs=("$here"/go/*.go "$here/go/go.mod" "$here/go/go.sum") out="$cache/go" module=ottla.test/grpc-clients
  local bin="$cache/bin" options=() file package kind
  stamped "$out/.stamp" "${inputs[@]}" && return
  python
  rm -rf "$out"
  mkdir -p "$out" "$bin"
  cp "${inputs[@]}" "$out"
  (cd "$out" && go build -o "$bin/" google.golang.org/protobuf/cmd/protoc-gen-go google.golang.org/grpc/cmd/protoc-gen-go-grpc github.com/fullstorydev/grpcurl/cmd/grpcurl)
  for kind in go go-grpc; do
    options+=("--${kind}_out=$out" "--${kind}_opt=module=$module")
    for file in "${files[@]}"; do
      case $file in broker.proto) package=broker;; *) package=ottlav1;; esac
      options+=("--${kind}_opt=M$file=$module/$package;$package")
    done
  done
  PATH="$bin:$PATH" protoc "${options[@]}"
  (cd "$out" && go build -o "$bin/grpc-go" .)
  stamp "$out/.stamp" "${inputs[@]}"
}

[ $# -gt 0 ] || set -- python go
for what in "$@"; do
  case $what in
    python) python;; go) go_;;
    *) echo "usage: install.sh [python|go ...]" >&2; exit 2;;
  esac
done
