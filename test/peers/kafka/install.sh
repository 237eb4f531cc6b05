#!/usr/bin/env bash
# Puts Apache Kafka (broker and tools) into $PEERS_HOME from Maven Central. Idempotent.
# Needs: java >= 17, mvn.   KAFKA_VERSION=x.y.z picks another release.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd); . "$here/env.sh"
log4j=2.25.3   # what Kafka's own archive carries beside its jars

[ -f "$KAFKA_LIBS/.complete" ] && { echo "kafka $KAFKA_VERSION: $KAFKA_LIBS"; exit 0; }

dep() { printf '<dependency><groupId>%s</groupId><artifactId>%s</artifactId><version>%s</version></dependency>\n' "$@"; }
mkdir -p "$KAFKA_LIBS"
cat > "$KAFKA_LIBS/../pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>peers</groupId><artifactId>kafka</artifactId><version>1</version><packaging>pom</packaging>
<dependencies>
$(dep org.apache.kafka kafka_2.13 "$KAFKA_VERSION")
$(dep org.apache.kafka kafka-tools "$KAFKA_VERSION")
$(dep org.apache.kafka kafka-shell "$KAFKA_VERSION")
$(dep org.apache.logging.log4j log4j-core "$log4j")
$(dep org.apache.logging.log4j log4j-slf4j-impl "$log4j")
</dependencies></project>
POM
mvn -B -q -Dstyle.color=never -f "$KAFKA_LIBS/../pom.xml" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$KAFKA_LIBS"
touch "$KAFKA_LIBS/.complete"
echo "kafka $KAFKA_VERSION: $KAFKA_LIBS ($(find "$KAFKA_LIBS" -name "*.jar" | wc -l) jars, $(du -sh "$KAFKA_LIBS" | cut -f1))"
