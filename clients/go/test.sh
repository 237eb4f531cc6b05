#!/usr/bin/env bash
# Vets and tests the Go client at a broker of this checkout. Builds first what is not built; needs go.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
(cd "$root" && npm run -s build)
cd "$here"
unformatted=$(gofmt -l .)
[ -z "$unformatted" ] || { echo "gofmt -w $unformatted"; exit 1; }
go vet ./...
exec node "$root/test/clients/at-broker.js" go test -count=1 ./...
