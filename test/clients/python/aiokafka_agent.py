"""aiokafka as an agent of the client matrix (see ../README.md for the verbs)."""

import asyncio
import logging
import os
import sys
import threading

import aiokafka
from agent import News, Until, padded, raw, record, row, serve
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import for_code

if os.environ.get("AGENT_DEBUG"):
    logging.basicConfig(filename=os.environ["AGENT_DEBUG"], level=logging.DEBUG, format="%(asctime)s %(process)d %(name)s %(message)s")
else:
    logging.disable(logging.CRITICAL)
BASE = {"bootstrap_servers": sys.argv[1], "client_id": "matrix-aiokafka"}

loop = asyncio.new_event_loop()
threading.Thread(target=loop.run_forever, daemon=True).start()


def waits(verb):
    return lambda c: asyncio.run_coroutine_threadsafe(verb(c), loop).result()


async def with_admin(use):
    admin = AIOKafkaAdminClient(**BASE)
    await admin.start()
    try:
        return await use(admin)
    finally:
        await admin.close()


async def create(c):
    async def use(admin):
        # It refuses -1, the broker's own choice.
        replicas = min(3, len((await admin.describe_cluster())["brokers"]))
        answer = await admin.create_topics([NewTopic(c["topic"], c["partitions"], replicas)])
        code = answer.topic_errors[0][1]
        if code:
            raise for_code(code)()
        topics = []
        for _ in range(100):
            topics = await admin.describe_topics([c["topic"]])
            if topics and len(topics[0]["partitions"]) == c["partitions"]:
                break
            await asyncio.sleep(0.05)
        return {"partitions": len(topics[0]["partitions"])}

    return await with_admin(use)


async def delete(c):
    async def use(admin):
        await admin.delete_topics([c["topic"]])
        for _ in range(100):
            if c["topic"] not in await admin.list_topics():
                return {"gone": True}
            await asyncio.sleep(0.05)
        return {"gone": False}

    return await with_admin(use)


async def with_producer(c, use):
    compression = c.get("compression", "none")
    p = AIOKafkaProducer(
        **BASE,
        compression_type=None if compression == "none" else compression,
        acks={-1: "all"}.get(c.get("acks", -1), c.get("acks", -1)),
        enable_idempotence=c.get("idempotent", False),
        linger_ms=5,
        max_batch_size=65536,
    )
    await p.start()
    try:
        return await use(p)
    finally:
        await p.stop()


async def produce(c):
    async def use(p):
        futures = []
        for r in c["records"]:
            headers = [(k, raw(v)) for k, v in r.get("headers", [])]
            futures.append(await p.send(
                c["topic"],
                partition=r["partition"],
                key=raw(r.get("key")),
                value=raw(r["value"]),
                headers=headers,
                timestamp_ms=r.get("timestamp"),
            ))
        offsets = {}
        for m in await asyncio.gather(*futures):
            offsets.setdefault(m.partition, m.offset)
        return {"offsets": offsets}

    return await with_producer(c, use)


async def bulk(c):
    async def use(p):
        futures = []
        start = c.get("from", 0)
        for i in range(start, start + c["count"]):
            futures.append(await p.send(c["topic"], partition=i % c["partitions"], value=padded(i, c["size"])))
            if len(futures) == 5000:
                await asyncio.gather(*futures)
                futures = []
        await asyncio.gather(*futures)

    await with_producer(c, use)


def open_consumer(topic, group, session_ms=6000, reset="earliest"):
    return AIOKafkaConsumer(
        topic,
        **BASE,
        group_id=group,
        auto_offset_reset=reset,
        session_timeout_ms=session_ms,
        heartbeat_interval_ms=300,
        auto_commit_interval_ms=200,
        fetch_max_wait_ms=300,
    )


async def stop(consumer):
    """While nodes are restarted it may end with CancelledError (aio-libs/aiokafka#647), or never (#773)."""
    if not os.environ.get("AGENT_RESTARTS"):
        return await consumer.stop()
    stopping = asyncio.ensure_future(consumer.stop())
    await asyncio.wait({stopping}, timeout=10)
    if stopping.done() and not stopping.cancelled():
        stopping.result()


async def consume(c):
    consumer, until = open_consumer(c["topic"], c["group"]), Until(c)
    await consumer.start()
    try:
        while not until.done():
            for batch in (await consumer.getmany(timeout_ms=50)).values():
                for m in batch:
                    until.add(lambda: row(m), lambda: record(m))
        await consumer.commit()
    finally:
        await stop(consumer)
    return until.answer()


state = {}


async def join(c):
    consumer = open_consumer(c["topic"], c["group"], c["sessionMs"], c.get("reset", "earliest"))
    await consumer.start()

    async def read():
        news = News()
        while not state.get("stop"):
            batches = await consumer.getmany(timeout_ms=50)
            news.tell(consumer.assignment(), [row(m) for batch in batches.values() for m in batch])
        await stop(consumer)

    state["task"] = asyncio.ensure_future(read())


async def leave(_):
    state["stop"] = True
    await asyncio.wait_for(state["task"], 20)


serve(
    {
        "client": "aiokafka",
        "version": aiokafka.__version__,
        "compressions": ["none", "gzip", "snappy", "lz4", "zstd"],
        "idempotent": True,
        "duplicateHeaders": True,
    },
    {
        "create": waits(create),
        "delete": waits(delete),
        "produce": waits(produce),
        "bulk": waits(bulk),
        "consume": waits(consume),
        "join": waits(join),
        "leave": waits(leave),
    },
)
