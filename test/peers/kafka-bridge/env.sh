# shellcheck shell=bash disable=SC2034
# Sourced by the other scripts: which Kafka Bridge, and where it is put.
# KAFKA_BRIDGE_VERSION   a tag of its repository; 0.33.1 is the last one for Java 17
# KAFKA_BRIDGE_SOURCE    the repository to clone: an address or a folder
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd); . "$here/../kafka/env.sh"
KAFKA_BRIDGE_VERSION="${KAFKA_BRIDGE_VERSION:-0.33.1}"
KAFKA_BRIDGE_SOURCE="${KAFKA_BRIDGE_SOURCE:-https://github.com/strimzi/strimzi-kafka-bridge.git}"
KAFKA_BRIDGE_HOME="$PEERS_HOME/kafka-bridge/$KAFKA_BRIDGE_VERSION"
