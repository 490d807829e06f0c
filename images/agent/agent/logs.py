"""One JSON object a line on standard output."""

from __future__ import annotations

import json
import logging
import sys

from agent.request_id import CURRENT
from agent.tracing import TRACE


class JsonLines(logging.Formatter):
    """A traceback, where there is one, goes into the same line."""

    def format(self, record: logging.LogRecord) -> str:
        """Formats a record as one line of JSON."""
        line = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if own := CURRENT.get():
            line["request_id"] = own
        if trace := TRACE.get():
            line["trace_id"] = trace
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def set_up(level: str) -> None:
    """Send every logger's lines to standard output at *level*."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel({"warn": "WARNING"}.get(level, level.upper()))
    # httpx logs each request's URL, and a provider may take its key in the URL; SQLAlchemy logs what users wrote.
    for library in ("httpx", "httpcore", "sqlalchemy"):
        logging.getLogger(library).setLevel("WARNING")
