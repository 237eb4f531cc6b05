#!/usr/bin/env bash
# Runs one of Kafka's own command line tools by its usual script name, against any bootstrap:
#   tool.sh kafka-topics --bootstrap-server 127.0.0.1:29092 --list
# "tool.sh" alone lists the names. "tool.sh some.java.Class args" runs that class. Heap: KAFKA_HEAP_OPTS.
# shellcheck disable=SC1007,SC2086,SC2231  # option strings are meant to be split into words
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd); . "$here/env.sh"
t=org.apache.kafka.tools
declare -A class=(
  [kafka-acls]=$t.AclCommand                       [kafka-broker-api-versions]=$t.BrokerApiVersionsCommand
  [kafka-client-metrics]=$t.ClientMetricsCommand   [kafka-cluster]=$t.ClusterTool
  [kafka-configs]=kafka.admin.ConfigCommand        [kafka-console-consumer]=$t.consumer.ConsoleConsumer
  [kafka-console-producer]=$t.ConsoleProducer      [kafka-console-share-consumer]=$t.consumer.ConsoleShareConsumer
  [kafka-consumer-groups]=$t.consumer.group.ConsumerGroupCommand
  [kafka-consumer-perf-test]=$t.ConsumerPerformance
  [kafka-delegation-tokens]=$t.DelegationTokenCommand [kafka-delete-records]=$t.DeleteRecordsCommand
  [kafka-dump-log]=$t.DumpLogSegments              [kafka-e2e-latency]=$t.EndToEndLatency
  [kafka-features]=$t.FeatureCommand               [kafka-get-offsets]=$t.GetOffsetShell
  [kafka-groups]=$t.GroupsCommand                  [kafka-jmx]=$t.JmxTool
  [kafka-leader-election]=$t.LeaderElectionCommand [kafka-log-dirs]=$t.LogDirsCommand
  [kafka-metadata-quorum]=$t.MetadataQuorumCommand [kafka-metadata-shell]=org.apache.kafka.shell.MetadataShell
  [kafka-producer-perf-test]=$t.ProducerPerformance
  [kafka-reassign-partitions]=$t.reassign.ReassignPartitionsCommand
  [kafka-replica-verification]=$t.ReplicaVerificationTool
  [kafka-share-consumer-perf-test]=$t.ShareConsumerPerformance
  [kafka-share-groups]=$t.consumer.group.ShareGroupCommand
  [kafka-storage]=kafka.tools.StorageTool          [kafka-streams-application-reset]=$t.StreamsResetter
  [kafka-streams-groups]=$t.streams.StreamsGroupCommand
  [kafka-topics]=$t.TopicCommand                   [kafka-transactions]=$t.TransactionsCommand
  [kafka-verifiable-consumer]=$t.VerifiableConsumer [kafka-verifiable-producer]=$t.VerifiableProducer
  [kafka-verifiable-share-consumer]=$t.VerifiableShareConsumer
  [probe]="$here/Probe.java"                       # our own: first ack, microsecond latency, failover gap, ...
)
[ $# -gt 0 ] || { printf '%s\n' "${!class[@]}" | sort; exit 0; }
[ -f "$KAFKA_LIBS/.complete" ] || "$here/install.sh" >&2
name=${1%.sh}; shift
main=${class[$name]:-${class[kafka-$name]:-}}   # "topics" works as well as "kafka-topics"
[ -n "$main" ] || { case $name in *.*) main=$name;; *) echo "unknown tool $name" >&2; exit 2;; esac; }
exec "$JAVA" ${KAFKA_HEAP_OPTS:--Xmx512M} $KAFKA_JVM_PERFORMANCE_OPTS -Dlog4j2.configurationFile="${LOG4J_CONFIG:-$here/log4j2-tools.properties}" \
  ${KAFKA_OPTS:-} -cp "$KAFKA_LIBS/*" "$main" "$@"
