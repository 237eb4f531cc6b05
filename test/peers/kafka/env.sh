# shellcheck shell=bash disable=SC2034
# Sourced by the other scripts: where the jars are and how Java is started.
# OTTLA_CACHE     the cache of everything that tests download (default: ~/.cache/ottla)
# PEERS_HOME      where peers live in it
# KAFKA_VERSION   the pinned release. 4.4.0 has its broker on Maven Central but (November 2026) not
#                 kafka-tools and kafka-shell; 4.3.1 is the newest release that is there complete.
PEERS_HOME="${PEERS_HOME:-${OTTLA_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ottla}/peers}"
KAFKA_VERSION="${KAFKA_VERSION:-4.3.1}"
KAFKA_LIBS="$PEERS_HOME/kafka/$KAFKA_VERSION/libs"
JAVA="${JAVA_HOME:+$JAVA_HOME/bin/}java"
# Exactly what Kafka's bin/kafka-run-class.sh sets by default.
KAFKA_JVM_PERFORMANCE_OPTS="${KAFKA_JVM_PERFORMANCE_OPTS--server -XX:+UseG1GC -XX:MaxGCPauseMillis=20 -XX:InitiatingHeapOccupancyPercent=35 -XX:+ExplicitGCInvokesConcurrent -XX:MaxInlineLevel=15 -Djava.awt.headless=true}"
KAFKA_JMX_OPTS="${KAFKA_JMX_OPTS--Dcom.sun.management.jmxremote=true -Dcom.sun.management.jmxremote.authenticate=false -Dcom.sun.management.jmxremote.ssl=false}"
