#!/usr/bin/env bash
# Standard workloads with Kafka's own perf tools against any broker; prints one TSV table.
#   perf.sh BOOTSTRAP [--pid PID[,PID...]] [--quick] [--only REGEX] [--keep]
# --pid    broker processes on this machine: adds their CPU seconds and peak resident memory per workload.
#          The Java tool competes with the broker for the same cores, so broker CPU per million records
#          is the fairest figure on a small machine.
# --quick  a tenth of the records.   --only  just the workloads whose name matches.   --keep  keep the topics.
# Environment: SCALE (factor on record counts), N_1K N_100B N_10K N_E2E N_RATE (record counts), RATE (records/s),
#   REPLICATION (default 1), PRODUCER_PROPS (e.g. "batch.size=131072 linger.ms=10"), PERF_TIMEOUT (seconds each).
# Columns: rates and latencies of the producer are of the steady state (first fifth of the records is warm-up);
# the consumer's rate is of its fetch time (group join excluded); MB is 2^20 bytes; wall_s includes the JVM start.
# shellcheck disable=SC1007,SC2086,SC2231  # option strings are meant to be split into words
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd); tool="$here/tool.sh"
B=${1:?usage: perf.sh BOOTSTRAP [--pid PIDS] [--quick] [--only REGEX] [--keep]}; shift
pids= scale=${SCALE:-1} only=. keep=
while [ $# -gt 0 ]; do case $1 in
  --pid) pids=${2//,/ }; shift 2;; --quick) scale=0.1; shift;; --only) only=$2; shift 2;; --keep) keep=1; shift;;
  *) echo "unknown option $1" >&2; exit 2;;
esac; done
n() { awk -v n="$1" -v s="$scale" 'BEGIN { printf "%d", n * s }'; }
n1k=$(n "${N_1K:-1000000}") n100=$(n "${N_100B:-3000000}") n10k=$(n "${N_10K:-150000}")
ne2e=$(n "${N_E2E:-5000}") nrate=$(n "${N_RATE:-150000}") rate=${RATE:-10000}
tag=perf-$$; out=$(mktemp); trap 'rm -f "$out"' EXIT

cpu() { local s=0 x; for p in $pids; do x=$(sed 's/.*) //' "/proc/$p/stat" 2>/dev/null | awk '{print $12 + $13}'); s=$((s + ${x:-0})); done; echo "$s"; }  # clock ticks, all threads
rss() { local s=0 x; for p in $pids; do x=$(awk '/VmHWM/ {print $2}' "/proc/$p/status" 2>/dev/null); s=$((s + ${x:-0})); done; echo "$((s / 1024))"; }    # MiB, peak since reset
reset_rss() { for p in $pids; do echo 5 > "/proc/$p/clear_refs" 2>/dev/null || true; done; }
topic() { "$tool" kafka-topics --bootstrap-server "$B" --create --topic "$1" --partitions "$2" --replication-factor "${REPLICATION:-1}" > /dev/null; }
drop() { [ -n "$keep" ] || "$tool" kafka-topics --bootstrap-server "$B" --delete --topic "$1" > /dev/null 2>&1 || true; }

# row NAME RECORDS PARSER COMMAND... : runs one workload and prints its line.
row() {
  local name=$1 records=$2 parser=$3; shift 3
  local c0 c1 t0 t1 figures client; c0=$(cpu); reset_rss; t0=$EPOCHREALTIME
  TIMEFORMAT='%U %S'
  client=$( { time timeout "${PERF_TIMEOUT:-90}" "$@" > "$out" 2> "$out.err"; } 2>&1 ) || true
  t1=$EPOCHREALTIME; c1=$(cpu)
  figures=$($parser < "$out"); [ -n "$figures" ] || { figures=$'failed\t-\t-\t-\t-\t-\t-'; tail -3 "$out" "$out.err" >&2; }
  rm -f "$out.err"
  awk -v OFS='\t' -v name="$name" -v f="$figures" -v r="$records" -v w="$(echo "$t1 $t0" | awk '{print $1 - $2}')" \
    -v c="$((c1 - c0))" -v hz="$(getconf CLK_TCK)" -v pids="$pids" -v rss="$(rss)" -v cl="$client" 'BEGIN {
      split(cl, u, " "); cs = c / hz
      print name, f, r, sprintf("%.1f", w), pids ? sprintf("%.2f", cs) : "-", pids ? sprintf("%.2f", cs * 1e6 / r) : "-", pids ? rss : "-", sprintf("%.1f", u[1] + u[2]) }'
}
# Parsers print: records/s MB/s avg p50 p95 p99 p99.9
p_producer() { sed -n 's/.*steady state records sent, \([0-9.]*\) records\/sec (\([0-9.]*\) MB\/sec), \([0-9.]*\) ms avg latency, [0-9.]* ms max latency, \([0-9]*\) ms 50th, \([0-9]*\) ms 95th, \([0-9]*\) ms 99th, \([0-9]*\) ms 99.9th.*/\1 \2 \3 \4 \5 \6 \7/p' | tail -1 | awk -v OFS='\t' '{printf "%d\t", $1; print $2, $3, $4, $5, $6, $7}'; }
p_consumer() { grep -E '^[0-9]{4}-' | tail -1 | awk -F', *' -v OFS='\t' '{printf "%d\t", $10; print $9, "-", "-", "-", "-", "-"}'; }
p_e2e() { awk -v OFS='\t' '/^Avg latency/ {a = $3} /^Percentiles/ {gsub(",", ""); print "-", "-", a, $4, "-", $7, $10}'; }

produce() { # name topic records size throughput props...
  local name=$1 topic=$2 records=$3 size=$4 thr=$5; shift 5
  row "$name" "$records" p_producer "$tool" kafka-producer-perf-test --bootstrap-server "$B" --topic "$topic" --num-records "$records" \
    --record-size "$size" --throughput "$thr" --warmup-records $((records / 5)) --reporting-interval 100000 --command-property "$@" ${PRODUCER_PROPS:-}
}
wanted() { [[ $1 =~ $only ]]; }
run() { # name partitions ...as produce, topic made and dropped around it
  local name=$1 parts=$2; shift 2; wanted "$name" || return 0
  topic "$tag-$name" "$parts"; produce "$name" "$tag-$name" "$@"; drop "$tag-$name"
}

printf 'workload\trecords_s\tMB_s\tavg_ms\tp50_ms\tp95_ms\tp99_ms\tp99.9_ms\trecords\twall_s\tbroker_cpu_s\tbroker_cpu_s_per_M\tbroker_peak_rss_MB\ttool_cpu_s\n'
topic "$tag-warm" 1   # warm-up of the broker, not reported
produce warm "$tag-warm" "$(n 200000)" 1024 -1 acks=all > /dev/null; drop "$tag-warm"

if wanted produce-1k-acks1 || wanted consume-1k; then
  topic "$tag-a" 1
  produce produce-1k-acks1 "$tag-a" "$n1k" 1024 -1 acks=1
fi
run produce-1k-acksall 1 "$n1k" 1024 -1 acks=all
run produce-100b-6part-acksall 6 "$n100" 100 -1 acks=all
run produce-10k-acksall 1 "$n10k" 10240 -1 acks=all
run produce-1k-lz4-acksall 1 "$n1k" 1024 -1 acks=all compression.type=lz4
run produce-1k-zstd-acksall 1 "$n1k" 1024 -1 acks=all compression.type=zstd
if wanted consume-1k; then
  row consume-1k "$n1k" p_consumer "$tool" kafka-consumer-perf-test --bootstrap-server "$B" --topic "$tag-a" --num-records "$n1k" --group "$tag" --timeout 60000
fi
! { wanted produce-1k-acks1 || wanted consume-1k; } || drop "$tag-a"
if wanted e2e-1k-acksall; then
  topic "$tag-e2e" 1
  row e2e-1k-acksall "$ne2e" p_e2e "$tool" kafka-e2e-latency --bootstrap-server "$B" --topic "$tag-e2e" --num-records "$ne2e" --producer-acks all --record-size 1024
  drop "$tag-e2e"
fi
run "produce-1k-${rate}ps-acksall" 1 "$nrate" 1024 "$rate" acks=all
