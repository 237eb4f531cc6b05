"""Server-sent events (WHATWG HTML §9.2), as far as ottla uses them."""

from __future__ import annotations

import json

from . import calls
from .types import Event


class Stream:
    """Takes lines, gives events; remembers where to go on."""

    def __init__(self, last_id: str | None = None) -> None:
        self.last_id = last_id
        self._id = last_id
        self.retry = 1.0
        """Seconds to wait before the next try, as the broker asks."""
        self._name = ""
        self._data: list[str] = []

    def line(self, line: str) -> Event | None:
        if line == "":
            return self._end()
        name, _, value = line.partition(":")
        value = value[1:] if value.startswith(" ") else value
        if name == "data":
            self._data.append(value)
        elif name == "id":
            self._id = value
        elif name == "event":
            self._name = value
        elif name == "retry" and value.isdigit():
            self.retry = int(value) / 1000
        return None

    def cut(self) -> None:
        """The connection ended: half an event is none, and the next one goes on where it began."""
        self._name, self._data, self._id = "", [], self.last_id

    def _end(self) -> Event | None:
        name, data = self._name, self._data
        # Only a whole event says where one stands then.
        self.last_id = self._id
        self.cut()
        # Others than messages tell of gaps, which the offsets show, too.
        if not data or name not in ("", "message"):
            return None
        return Event(calls.record(json.loads("\n".join(data))), self.last_id or "")
