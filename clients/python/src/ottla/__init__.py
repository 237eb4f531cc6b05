"""Push, pull and subscribe at an ottla broker over HTTP.

>>> from ottla import Ottla
>>> with Ottla("http://localhost:9092") as ottla:
...     ottla.push("orders", {"id": 1}, key="customer-1")
"""

from .aio import AsyncOttla
from .client import Ottla
from .types import (
    BrokerUnreachable,
    Event,
    Json,
    Lease,
    LeaseOver,
    Message,
    OttlaError,
    Page,
    Place,
    Problem,
    Record,
)

__all__ = [
    "AsyncOttla",
    "BrokerUnreachable",
    "Event",
    "Json",
    "Lease",
    "LeaseOver",
    "Message",
    "Ottla",
    "OttlaError",
    "Page",
    "Place",
    "Problem",
    "Record",
]
