"""kafka-python as an agent of the client matrix (see ../README.md for the verbs)."""

import logging
import os
import sys
import threading
import time

import kafka
from agent import News, Until, padded, raw, record, row, serve
from kafka import KafkaConsumer, KafkaProducer
from kafka.admin import KafkaAdminClient, NewTopic

if os.environ.get("AGENT_DEBUG"):
    logging.basicConfig(filename=os.environ["AGENT_DEBUG"], level=logging.DEBUG, format="%(asctime)s %(process)d %(name)s %(message)s")

# Where a poll gives up between the answers to JoinGroup and SyncGroup, 3.0.12 never takes its assignment: poll long.
POLL_MS = 1000
BASE = {"bootstrap_servers": sys.argv[1], "client_id": "matrix-kafka-python"}


def create(c):
    admin = KafkaAdminClient(**BASE)
    admin.create_topics([NewTopic(c["topic"], c["partitions"], -1)])
    for _ in range(100):
        topics = admin.describe_topics([c["topic"]])
        if topics and len(topics[0]["partitions"]) == c["partitions"]:
            break
        time.sleep(0.05)
    admin.close()
    return {"partitions": len(topics[0]["partitions"])}


def delete(c):
    admin = KafkaAdminClient(**BASE)
    admin.delete_topics([c["topic"]])
    gone = False
    for _ in range(100):
        gone = c["topic"] not in admin.list_topics()
        if gone:
            break
        time.sleep(0.05)
    admin.close()
    return {"gone": gone}


def producer(c):
    compression = c.get("compression", "none")
    return KafkaProducer(
        **BASE,
        compression_type=None if compression == "none" else compression,
        acks={-1: "all"}.get(c.get("acks", -1), c.get("acks", -1)),
        enable_idempotence=c.get("idempotent", False),
        linger_ms=5,
        batch_size=65536,
    )


def produce(c):
    p = producer(c)
    futures = []
    for r in c["records"]:
        futures.append(p.send(
            c["topic"],
            partition=r["partition"],
            key=raw(r.get("key")),
            value=raw(r["value"]),
            headers=[(k, raw(v)) for k, v in r.get("headers", [])],
            timestamp_ms=r.get("timestamp"),
        ))
    p.flush(60)
    offsets = {}
    for f in futures:
        m = f.get(10)
        offsets.setdefault(m.partition, m.offset)
    p.close()
    return {"offsets": offsets}


def bulk(c):
    p = producer(c)
    failures = []
    start = c.get("from", 0)
    futures = [p.send(c["topic"], partition=i % c["partitions"], value=padded(i, c["size"])) for i in range(start, start + c["count"])]
    p.flush(90)
    failures = [f for f in futures if not f.succeeded()]
    p.close()
    if failures:
        raise RuntimeError(f"{len(failures)} failed, first: {failures[0].exception}")


def open_consumer(group, session_ms=6000, reset="earliest"):
    return KafkaConsumer(
        **BASE,
        group_id=group,
        auto_offset_reset=reset,
        session_timeout_ms=session_ms,
        heartbeat_interval_ms=300,
        auto_commit_interval_ms=200,
        fetch_max_wait_ms=300,
        max_poll_records=5000,
    )


def consume(c):
    consumer, until = open_consumer(c["group"]), Until(c)
    consumer.subscribe([c["topic"]])
    while not until.done():
        for batch in consumer.poll(timeout_ms=POLL_MS).values():
            for m in batch:
                until.add(lambda: row(m), lambda: record(m))
    consumer.commit()
    consumer.close()
    return until.answer()


stop, stopped = threading.Event(), threading.Event()


def join(c):
    consumer = open_consumer(c["group"], c["sessionMs"], c.get("reset", "earliest"))
    consumer.subscribe([c["topic"]])

    def loop():
        news = News()
        while not stop.is_set():
            batches = consumer.poll(timeout_ms=POLL_MS)
            news.tell(consumer.assignment(), [row(m) for batch in batches.values() for m in batch])
        consumer.close()
        stopped.set()

    threading.Thread(target=loop, daemon=True).start()


def leave(_):
    stop.set()
    if not stopped.wait(20):
        raise RuntimeError("the consumer did not close within 20 s")


serve(
    {
        "client": "kafka-python",
        "version": kafka.__version__,
        "compressions": ["none", "gzip", "snappy", "lz4", "zstd"],
        "idempotent": True,
        "duplicateHeaders": True,
    },
    {"create": create, "delete": delete, "produce": produce, "bulk": bulk, "consume": consume, "join": join, "leave": leave},
)
