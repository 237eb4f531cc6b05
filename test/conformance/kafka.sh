#!/bin/sh
# Beside a running Apache Kafka: the same odd requests get the same answers, and either of us opens the other's files.
# Needs Java 17, Maven and unzip; starts and stops Kafka itself.
set -eu
cd "$(dirname "$0")/../.."
node scripts/build.js
[ $# -gt 0 ] || set -- metadata-records produce-errors admin-errors groups store-files data-directory
for name in "$@"; do
  node --test --test-reporter=spec "dist/test/conformance/$name.conformance.js"
done
