"""The client for programs without asyncio."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any

import httpx

from . import calls
from .stream import Stream
from .types import BrokerUnreachable, Content, Event, Json, Lease, Message, OttlaError, Page, Place


class Ottla:
    """A client of a broker or a cluster. ``urls``: any nodes; another one is tried when one does not answer.

    ``timeout``: seconds for one try; ``patience``: seconds in which what may be repeated is tried again.
    Safe to be used by several threads.
    """

    def __init__(
        self,
        urls: str | Iterable[str] = "http://localhost:9092",
        *,
        timeout: float = 10,
        patience: float = 30,
    ) -> None:
        self._urls = calls.addresses(urls)
        self._patience = patience
        self._timeout = timeout
        self._http = httpx.Client(timeout=timeout, limits=httpx.Limits(max_connections=100))
        self._at = 0

    def __enter__(self) -> Ottla:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    # Push

    def push(
        self,
        topic: str,
        value: Content,
        *,
        key: Content = None,
        headers: Mapping[str, str] | None = None,
        partition: int | None = None,
        timestamp: int | None = None,
        acks: str = "all",
    ) -> Place:
        """Writes one record, once, even when it has to be sent twice. Returns when ``acks`` have it."""
        return self.push_many(topic, [Message(value, key, headers or {}, partition, timestamp)], acks=acks)[0]

    def push_many(
        self,
        topic: str,
        messages: Iterable[Message],
        *,
        acks: str = "all",
        idempotency_key: str | None = None,
    ) -> list[Place]:
        """Writes records in one request. Raises the first problem; those before and after it may be written."""
        return calls.places(topic, self._ask(calls.push(topic, messages, acks, idempotency_key)))

    # Pull

    def pull(
        self,
        topic: str,
        *,
        group: str = "default",
        limit: int = 1,
        wait: float = 0,
        lease: float | None = None,
        start: str = "earliest",
    ) -> list[Lease]:
        """Takes records that nobody else of the group has. ``wait`` and ``lease`` are in seconds."""
        return calls.leases(self._ask(calls.pull(topic, group, limit, wait, lease, start)))

    def ack(self, lease: Lease) -> None:
        """It is done. Raises LeaseOver."""
        self._ask(calls.settle(lease, "ack", {}))

    def release(self, lease: Lease, *, delay: float | None = None) -> None:
        """Somebody else shall try, ``delay`` seconds later. Raises LeaseOver."""
        self._ask(calls.settle(lease, "release", calls.seconds("delayMs", delay)))

    def reject(self, lease: Lease, *, reason: str = "") -> None:
        """Nobody can do it: it becomes a dead letter. Raises LeaseOver."""
        self._ask(calls.settle(lease, "reject", {"reason": reason} if reason else {}))

    def renew(self, lease: Lease, *, duration: float | None = None) -> None:
        """More time, ``duration`` seconds from now. Raises LeaseOver."""
        self._ask(calls.settle(lease, "renew", calls.seconds("leaseMs", duration)))

    @contextmanager
    def working(self, lease: Lease) -> Iterator[Content]:
        """``with ottla.working(lease) as value``: acknowledged at the end, released when something is raised."""
        try:
            yield lease.value
        except BaseException:
            # What was raised says more than that the lease is over, too.
            with suppress(OttlaError):
                self.release(lease)
            raise
        self.ack(lease)

    # Read and subscribe

    def records(
        self,
        topic: str,
        *,
        partition: int | None = None,
        start: int | str = "earliest",
        limit: int = 100,
        wait: float = 0,
    ) -> Page:
        """Records of one partition, without a group. ``start``: an offset, ``earliest`` or ``latest``."""
        return calls.page(self._ask(calls.read(topic, partition, start, limit, wait)))

    def subscribe(
        self, topic: str, *, start: str = "latest", keys: Iterable[str] = (), last_id: str | None = None
    ) -> Iterator[Event]:
        """All records from ``start`` on, for ever. A connection that ends is made anew, exactly where it ended;
        ``last_id`` goes on where another subscription did."""
        stream = Stream(last_id)
        keys = tuple(keys)
        failures = 0
        while True:
            params, headers = calls.subscribe(start, keys, stream.last_id)
            url = self._url() + calls.topic_path(topic, "events")
            # Heartbeats come far more often than that.
            timeout = httpx.Timeout(self._timeout, read=60)
            try:
                with self._http.stream("GET", url, params=params, headers=headers, timeout=timeout) as answer:
                    if answer.status_code != 200:
                        problem = calls.problem_of(answer.status_code, answer.read())
                        if not calls.passes(answer.status_code):
                            raise problem
                        raise httpx.TransportError(str(problem))
                    failures = 0
                    for line in answer.iter_lines():
                        event = stream.line(line)
                        if event is not None:
                            yield event
            except httpx.TransportError as error:
                failures += 1
                self._at += 1
                if stream.last_id is None and failures * stream.retry > self._patience:
                    raise BrokerUnreachable(f"{url}: {error}") from error
            stream.cut()
            time.sleep(stream.retry)

    # Administration

    def topics(self) -> list[dict[str, Any]]:
        return list(self._ask(calls.Call("GET", "/topics", again=True))["topics"])

    def topic(self, name: str) -> dict[str, Any]:
        return dict(self._ask(calls.Call("GET", calls.topic_path(name), again=True)))

    def create_topic(
        self,
        name: str,
        *,
        partitions: int | None = None,
        replication_factor: int | None = None,
        configs: Mapping[str, str | int] | None = None,
    ) -> dict[str, Any]:
        return dict(self._ask(calls.new_topic(name, partitions, replication_factor, configs)))

    def delete_topic(self, name: str) -> None:
        self._ask(calls.Call("DELETE", calls.topic_path(name)))

    def groups(self) -> list[dict[str, Any]]:
        return list(self._ask(calls.Call("GET", "/groups", again=True))["groups"])

    def group(self, name: str) -> dict[str, Any]:
        return dict(self._ask(calls.Call("GET", calls.group_path(name), again=True)))

    def reset_group(
        self, group: str, to: Json, *, topics: Iterable[str] | None = None, execute: bool = False
    ) -> list[dict[str, Any]]:
        """What would move, and moves when ``execute`` says so."""
        return list(self._ask(calls.reset(group, to, topics, execute))["moves"])

    def health(self) -> dict[str, Any]:
        return dict(self._ask(calls.Call("GET", "/health")))

    def _url(self) -> str:
        return self._urls[self._at % len(self._urls)]

    def _ask(self, call: calls.Call) -> Any:
        give_up = time.monotonic() + self._patience
        pause = 0.1
        while True:
            url = self._url() + call.path
            try:
                answer = self._http.request(
                    call.method,
                    url,
                    params=dict(call.params),
                    headers=dict(call.headers),
                    timeout=self._timeout + call.wait,
                    json=call.body,
                )
            except httpx.TransportError as error:
                self._at += 1
                unknown = not call.again and not isinstance(error, httpx.ConnectError)
                if unknown or time.monotonic() + pause > give_up:
                    raise BrokerUnreachable(f"{url}: {error}") from error
            else:
                if answer.is_success:
                    return answer.json() if answer.content else None
                problem = calls.problem_of(answer.status_code, answer.content)
                if not (call.again and calls.passes(answer.status_code)) or time.monotonic() + pause > give_up:
                    raise problem
                self._at += 1
            time.sleep(pause)
            pause = min(2, pause * 2)
