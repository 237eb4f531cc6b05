"""confluent-kafka (librdkafka) as an agent of the client matrix (see ../README.md for the verbs)."""

import os
import sys
import threading
import time

import confluent_kafka
from agent import News, Until, emit, number, padded, raw, serve, text
from confluent_kafka import Consumer, KafkaError, Producer
from confluent_kafka.admin import AdminClient, NewTopic

BASE = {"bootstrap.servers": sys.argv[1], "client.id": "matrix-confluent", "log_level": 0, "topic.metadata.refresh.interval.ms": 1000}


def create(c):
    admin = AdminClient(BASE)
    admin.create_topics([NewTopic(c["topic"], c["partitions"], -1)])[c["topic"]].result(20)
    for _ in range(100):
        partitions = admin.list_topics(c["topic"], timeout=10).topics[c["topic"]].partitions
        if len(partitions) == c["partitions"]:
            break
        time.sleep(0.05)
    return {"partitions": len(partitions)}


def delete(c):
    admin = AdminClient(BASE)
    admin.delete_topics([c["topic"]])[c["topic"]].result(20)
    for _ in range(100):
        if c["topic"] not in admin.list_topics(timeout=10).topics:
            return {"gone": True}
        time.sleep(0.05)
    return {"gone": False}


def producer(c, **more):
    return Producer({
        **BASE,
        "compression.type": c.get("compression", "none"),
        "acks": c.get("acks", -1),
        "enable.idempotence": c.get("idempotent", False),
        "linger.ms": 5,
        "queue.buffering.max.messages": 200000,
        **{name.replace("_", "."): value for name, value in more.items()},
    })


def sender(p, c):
    """Hands out send(partition, value, ...) and finish(), which raises on the first failed delivery."""
    failures, offsets = [], {}

    def delivered(error, message):
        if error is not None:
            failures.append(str(error))
        else:
            offsets.setdefault(message.partition(), message.offset())

    def send(**fields):
        p.produce(c["topic"], on_delivery=delivered, **fields)
        p.poll(0)

    def finish():
        left = p.flush(60)
        if left or failures:
            raise RuntimeError(f"{left} not delivered, {len(failures)} failed: {failures[:1]}")
        return offsets

    return send, finish


def produce(c):
    send, finish = sender(producer(c), c)
    for r in c["records"]:
        extra = {"timestamp": r["timestamp"]} if "timestamp" in r else {}
        headers = [(k, raw(v)) for k, v in r.get("headers", [])]
        send(partition=r["partition"], key=raw(r.get("key")), value=raw(r["value"]), headers=headers, **extra)
    return {"offsets": finish()}


def bulk(c):
    send, finish = sender(producer(c), c)
    start = c.get("from", 0)
    for i in range(start, start + c["count"]):
        send(partition=i % c["partitions"], value=padded(i, c["size"]))
    finish()


def open_consumer(group, session_ms=6000, reset="earliest"):
    return Consumer({
        **BASE,
        "group.id": group,
        "auto.offset.reset": reset,
        "session.timeout.ms": session_ms,
        "heartbeat.interval.ms": 300,
        "auto.commit.interval.ms": 200,
        "partition.assignment.strategy": "cooperative-sticky",
        "fetch.wait.max.ms": 300,
    })


def stuck(m):
    """Asked for offsets, a coordinator that was going refused: librdkafka never asks again (confluentinc/librdkafka#5586)."""
    return os.environ.get("AGENT_RESTARTS") and m.error() and m.error().code() == KafkaError.NOT_COORDINATOR


def record(m):
    return {
        "partition": m.partition(),
        "offset": m.offset(),
        "key": text(m.key()),
        "value": text(m.value()),
        "headers": [[k, text(v)] for k, v in (m.headers() or [])],
        "timestamp": m.timestamp()[1],
    }


def row(m):
    return [m.partition(), m.offset(), number(m.value())]


def consume(c):
    consumer, until = open_consumer(c["group"]), Until(c)
    consumer.subscribe([c["topic"]])
    while not until.done():
        messages = consumer.consume(5000, 0.05)
        for m in messages:
            if m.error() and not stuck(m):
                raise RuntimeError(str(m.error()))
            if not m.error():
                until.add(lambda: row(m), lambda: record(m))
        if any(map(stuck, messages)):
            consumer.close()
            consumer = open_consumer(c["group"])
            consumer.subscribe([c["topic"]])
    consumer.close()  # commits what was handed out
    return until.answer()


stop, stopped = threading.Event(), threading.Event()


def join(c):
    def subscribed():
        consumer = open_consumer(c["group"], c["sessionMs"], c.get("reset", "earliest"))
        consumer.subscribe([c["topic"]])
        return consumer

    def loop():
        consumer, news = subscribed(), News()
        while not stop.is_set():
            messages = consumer.consume(1000, 0.05)
            news.tell(consumer.assignment(), [row(m) for m in messages if not m.error()])
            if any(map(stuck, messages)):
                consumer.close()
                consumer = subscribed()
        consumer.close()
        stopped.set()

    threading.Thread(target=loop, daemon=True).start()


def leave(_):
    stop.set()
    if not stopped.wait(20):
        raise RuntimeError("the consumer did not close within 20 s")


def load(c):
    """Sends numbers until "stop" and tells the fate of each: the crash proof's writer."""
    # Where messages time out at the head of its queue, librdkafka begins a new epoch and sends again what was on its way:
    # nothing may time out in a fault, or the test finds librdkafka's duplicates.
    # A node that is frozen is given up after 10 s, by default after 60.
    p = producer(c, message_timeout_ms=600000, socket_timeout_ms=10000, retry_backoff_ms=30, reconnect_backoff_ms=20, reconnect_backoff_max_ms=200)

    def loop():
        i = c.get("from", 0)
        while not stop.is_set():
            def delivered(error, m, n=i):
                fate = {"event": "fate", "n": n, "p": n % c["partitions"]}
                offset = {} if m.offset() is None else {"o": m.offset()}
                emit({**fate, "error": str(error)} if error is not None else {**fate, **offset})

            p.produce(c["topic"], partition=i % c["partitions"], value=padded(i, c["size"]), on_delivery=delivered)
            p.poll(0.001)
            i += 1
        p.flush(30)
        stopped.set()

    threading.Thread(target=loop, daemon=True).start()


def stop_load(_):
    stop.set()
    if not stopped.wait(60):
        raise RuntimeError("the producer did not finish within 60 s")


serve(
    {
        "client": "confluent-kafka",
        "version": f"{confluent_kafka.version()} (librdkafka {confluent_kafka.libversion()[0]})",
        "compressions": ["none", "gzip", "snappy", "lz4", "zstd"],
        "idempotent": True,
        "duplicateHeaders": True,
    },
    {
        "create": create,
        "delete": delete,
        "produce": produce,
        "bulk": bulk,
        "consume": consume,
        "join": join,
        "leave": leave,
        "load": load,
        "stop": stop_load,
    },
)
