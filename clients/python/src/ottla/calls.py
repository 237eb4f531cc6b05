"""Requests and answers without any input or output: what both clients have in common."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from .types import Content, Json, Lease, LeaseOver, Message, OttlaError, Page, Place, Problem, Record


@dataclass(frozen=True)
class Call:
    """One request. ``again``: it may be repeated when nobody knows whether it was done. ``wait`` is in seconds."""

    method: str
    path: str
    params: Mapping[str, str | int] = field(default_factory=dict)
    body: Json = None
    headers: Mapping[str, str] = field(default_factory=dict)
    again: bool = False
    wait: float = 0


def topic_path(topic: str, *more: str) -> str:
    return "/".join(("/topics", *(quote(part, safe="") for part in (topic, *more))))


def group_path(group: str, *more: str) -> str:
    return "/".join(("/groups", *(quote(part, safe="") for part in (group, *more))))


def push(topic: str, messages: Iterable[Message], acks: str, idempotency_key: str | None) -> Call:
    records = [_written(message) for message in messages]
    key = idempotency_key or str(uuid.uuid4())
    # Without acks nobody could tell the first time from the second.
    headers = {} if acks == "0" else {"idempotency-key": key}
    return Call("POST", topic_path(topic, "records"), {"acks": acks}, {"records": records}, headers, again=acks != "0")


def _written(message: Message) -> dict[str, Json]:
    record: dict[str, Json] = {"value": _content(message.value), "key": _content(message.key)}
    if message.headers:
        record["headers"] = dict(message.headers)
    if message.partition is not None:
        record["partition"] = message.partition
    if message.timestamp is not None:
        record["timestamp"] = message.timestamp
    return record


def _content(content: Content) -> Json:
    if isinstance(content, (bytes, bytearray, memoryview)):
        return {"base64": base64.b64encode(content).decode()}
    return content


def places(topic: str, document: Any) -> list[Place]:
    """Raises the first problem that is among them."""
    found = []
    for each in document["records"]:
        if "error" in each:
            raise Problem(int(each["error"].get("status", 500)), each["error"])
        found.append(Place(topic, each["partition"], each["offset"], each["timestamp"]))
    return found


def read(topic: str, partition: int | None, start: int | str, limit: int, wait: float) -> Call:
    params: dict[str, str | int] = {"offset": start, "maxRecords": limit, "waitMs": round(wait * 1000)}
    if partition is not None:
        params["partition"] = partition
    return Call("GET", topic_path(topic, "records"), params, again=True, wait=wait)


def page(document: Any) -> Page:
    return Page(
        tuple(record(each) for each in document["records"]),
        document["nextOffset"],
        document["highWatermark"],
        document["logStartOffset"],
    )


def record(document: Any) -> Record:
    return Record(
        document["topic"],
        document["partition"],
        document["offset"],
        document["timestamp"],
        _plain(document["key"]),
        _plain(document["value"]),
        document["headers"],
    )


def _plain(content: Any) -> Content:
    if isinstance(content, dict) and content.keys() == {"base64"} and isinstance(content["base64"], str):
        return base64.b64decode(content["base64"])
    return content  # type: ignore[no-any-return]


def pull(topic: str, group: str, limit: int, wait: float, lease: float | None, start: str) -> Call:
    params: dict[str, str | int] = {"group": group, "max": limit, "waitMs": round(wait * 1000), "from": start}
    if lease is not None:
        params["leaseMs"] = round(lease * 1000)
    # An answer that is lost leaves leases behind that end by themselves.
    return Call("POST", topic_path(topic, "pull"), params, again=True, wait=wait)


def leases(document: Any) -> list[Lease]:
    return [Lease(record(each), each["leaseId"], each["deliveryCount"]) for each in document["records"]]


def settle(lease: Lease, action: str, params: Mapping[str, str | int]) -> Call:
    return Call("POST", topic_path(lease.record.topic, "leases", lease.lease_id, action), params, again=True)


def seconds(name: str, value: float | None) -> dict[str, str | int]:
    return {} if value is None else {name: round(value * 1000)}


def new_topic(
    name: str, partitions: int | None, replication_factor: int | None, configs: Mapping[str, str | int] | None
) -> Call:
    body: dict[str, Json] = {"name": name, "configs": dict(configs or {})}
    if partitions is not None:
        body["partitions"] = partitions
    if replication_factor is not None:
        body["replicationFactor"] = replication_factor
    return Call("POST", "/topics", body=body)


def reset(group: str, to: Json, topics: Iterable[str] | None, execute: bool) -> Call:
    body: dict[str, Json] = {"to": to, "execute": execute}
    if topics is not None:
        body["partitions"] = [{"topic": topic} for topic in topics]
    return Call("POST", group_path(group, "reset"), body=body)


def subscribe(start: str, keys: Iterable[str], last_id: str | None) -> tuple[dict[str, Any], dict[str, str]]:
    """Parameters and headers."""
    params = {"from": start, "key": list(keys)}
    return params, {} if last_id is None else {"last-event-id": last_id}


def problem_of(status: int, body: bytes) -> Problem:
    try:
        document = json.loads(body)
    except ValueError:
        document = {}
    if not isinstance(document, dict):
        document = {}
    kind = LeaseOver if str(document.get("type", "")).endswith(":lease-over") else Problem
    return kind(status, document)


def passes(status: int) -> bool:
    """The same request may succeed a little later, at this node or another."""
    return status in (421, 429, 502, 503, 504)


def addresses(urls: str | Iterable[str]) -> list[str]:
    found = [url.strip().rstrip("/") for url in (urls.split(",") if isinstance(urls, str) else urls)]
    if not found or not all(found):
        raise OttlaError("the address of a broker is written as http://localhost:9092; several are parted by commas")
    return [url if "://" in url else f"http://{url}" for url in found]
