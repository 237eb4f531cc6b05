#!/bin/sh
# Compares our messages with Apache Kafka's own: definitions, bytes, and hostile bytes. Needs Java 17, Maven and unzip;
# fetches Kafka's jars into $OTTLA_CACHE (default ~/.cache/ottla) and nothing else.
#   OTTLA_GOLDEN=500 instances of each message and version, OTTLA_FUZZ=20000000 frames, OTTLA_SEED=7
set -eu
cd "$(dirname "$0")/../.."
node scripts/build.js
exec node --test --test-reporter=spec "$@" \
  dist/test/conformance/definitions.conformance.js dist/test/conformance/golden.conformance.js dist/test/conformance/fuzz.conformance.js
