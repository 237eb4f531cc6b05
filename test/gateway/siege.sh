#!/usr/bin/env bash
# Hostile clients of every kind against a node in a process of its own: what it may take in time and memory. Two minutes.
#
#   test/gateway/siege.sh [pattern]
set -euo pipefail
cd "$(dirname "$0")/../.."
node scripts/setup.js
exec node dist/test/gateway/siege.js "$@"
