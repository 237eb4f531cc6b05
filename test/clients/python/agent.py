"""What the Python agents share: commands come in as JSON lines, answers and events leave as JSON lines."""

import json
import os
import sys
import threading
import time
import traceback

_lock = threading.Lock()


def emit(message):
    with _lock:
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()


def raw(value):
    return None if value is None else value.encode()


def text(value):
    return None if value is None else bytes(value).decode()


def padded(number, size):
    return str(number).ljust(size, ".").encode()


def number(value):
    return int(bytes(value).rstrip(b"."))


def record(m):
    """A message of kafka-python or aiokafka, which give it alike."""
    return {
        "partition": m.partition,
        "offset": m.offset,
        "key": text(m.key),
        "value": text(m.value),
        "headers": [[k, text(v)] for k, v in m.headers],
        "timestamp": m.timestamp,
    }


def row(m):
    return [m.partition, m.offset, number(m.value)]


class News:
    """Of a member of a group: what it is assigned, whenever that is something else, and what it got."""

    def __init__(self):
        self.known = None

    def tell(self, assignment, rows):
        assigned = sorted(p.partition for p in assignment)
        if assigned != self.known:
            self.known = assigned
            emit({"event": "assigned", "partitions": assigned})
        if rows:
            emit({"event": "got", "rows": rows})


class Until:
    """Says when a consumer has what it came for: `count` records and then `idle_ms` of silence, or its time is up."""

    def __init__(self, command):
        self.count = command["count"]
        self.idle = command.get("idleMs", 300) / 1000
        self.end = time.monotonic() + command.get("timeoutMs", 60000) / 1000
        self.last = time.monotonic()
        self.slim = command.get("slim", False)
        self.got = []

    def add(self, row, record):
        self.last = time.monotonic()
        self.got.append(row() if self.slim else record())

    def done(self):
        now = time.monotonic()
        return now > self.end or (len(self.got) >= self.count and now - self.last > self.idle)

    def answer(self):
        return {"rows": self.got} if self.slim else {"records": self.got}


def serve(hello, verbs):
    emit({"hello": hello})
    for line in sys.stdin:
        command = json.loads(line)
        try:
            answer = verbs[command["do"]](command) or {}
            emit({"id": command["id"], "ok": True, **answer})
        except Exception:
            emit({"id": command["id"], "ok": False, "error": traceback.format_exc()[-2000:]})
    sys.stdout.flush()
    os._exit(0)
