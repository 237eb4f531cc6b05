"""What goes to a broker and what comes back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Union

Json = Union[None, bool, int, float, str, "Sequence[Json]", "Mapping[str, Json]"]
"""Anything that JSON has."""

Content = Union[Json, bytes]
"""A key or a value. Text is sent as it is, ``bytes`` too, everything else as JSON."""


class OttlaError(Exception):
    """Everything that this package raises by itself."""


class BrokerUnreachable(OttlaError):
    """No address answered in time. What was asked may or may not have been done."""


class Problem(OttlaError):
    """The broker said no, and why (RFC 9457)."""

    def __init__(self, status: int, document: Mapping[str, Any]) -> None:
        self.status = status
        self.type: str = str(document.get("type", "about:blank"))
        self.title: str = str(document.get("title", f"HTTP status {status}"))
        self.detail: str = str(document.get("detail", ""))
        self.error: str | None = document.get("error")
        """Kafka's name for it, where it has one: ``UNKNOWN_TOPIC_OR_PARTITION``."""
        self.document = document
        super().__init__(f"{self.title}: {self.detail}" if self.detail else self.title)


class LeaseOver(Problem):
    """Somebody else may have the record by now."""


@dataclass(frozen=True)
class Message:
    """A record to be written. ``timestamp`` is in ms since 1970."""

    value: Content
    key: Content = None
    headers: Mapping[str, str] = field(default_factory=dict)
    partition: int | None = None
    timestamp: int | None = None


@dataclass(frozen=True)
class Place:
    """Where a record was written. ``offset`` is None with ``acks="0"``."""

    topic: str
    partition: int
    offset: int | None
    timestamp: int


@dataclass(frozen=True)
class Record:
    """A record that was read. Bytes that are no UTF-8 come as ``bytes``. ``timestamp`` is in ms since 1970."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: Content
    value: Content
    headers: Mapping[str, Any]


@dataclass(frozen=True)
class Lease:
    """A record that is ours alone for a while. ``delivery_count`` is 1 for the first time."""

    record: Record
    lease_id: str
    delivery_count: int

    @property
    def value(self) -> Content:
        return self.record.value


@dataclass(frozen=True)
class Event:
    """A record that came by a subscription. ``id`` is where the reader then stands in all partitions."""

    record: Record
    id: str


@dataclass(frozen=True)
class Page:
    """Records of one partition, and where to go on."""

    records: tuple[Record, ...]
    next_offset: int
    high_watermark: int
    log_start_offset: int
