#!/usr/bin/env bash
# Puts Strimzi's HTTP bridge for Apache Kafka (Apache-2.0) into $PEERS_HOME: its source by git, what it stands on from Maven
# Central. Idempotent. Needs: git, java and javac >= 17, mvn. Prints version=.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd); . "$here/env.sh"
[ ! -f "$KAFKA_BRIDGE_HOME/.complete" ] || { echo "version=$KAFKA_BRIDGE_VERSION"; exit 0; }

rm -rf "$KAFKA_BRIDGE_HOME"; mkdir -p "$KAFKA_BRIDGE_HOME"
source=$KAFKA_BRIDGE_HOME/source
git -c advice.detachedHead=false clone -q --branch "$KAFKA_BRIDGE_VERSION" "$KAFKA_BRIDGE_SOURCE" "$source"
mvn -B -q -Dstyle.color=never -f "$source/pom.xml" -DskipTests -Dcheckstyle.skip=true compile \
  dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$KAFKA_BRIDGE_HOME/libs" >&2
touch "$KAFKA_BRIDGE_HOME/.complete"
echo "version=$KAFKA_BRIDGE_VERSION"
