"""One line an event, structured, with the id of the request it belongs to.

Values can hold anything a stranger sent: control characters are escaped and long values cut, so that one event stays
one line and a terminal stays a terminal.
"""

from __future__ import annotations

import json
import logging
import logging.config
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, Final

import structlog

from runtime.traces import REQUEST, RUN, SPAN

MAX_VALUE: Final = 4000
_SECRET_WORDS: Final = ("password", "secret", "token", "authorization", "cookie", "api_key", "sealed")


def configure(config: Mapping[str, Any]) -> None:
    """Send structlog and the standard library's loggers to standard error (`LOGGING_CONFIG`)."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        say_whose,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(allow=["status_code"]),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        hide_secrets,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                as_json if config["format"] == "json" else as_plain,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(config["level"])
    for quiet in ("django.db.backends", "django.utils.autoreload", "asyncio", "httpcore2", "httpx2", "hpack"):
        logging.getLogger(quiet).setLevel(max(logging.WARNING, logging.getLevelName(config["level"])))
    # "Started", "stopped" and every socket's handshake: we say what matters of it ourselves.
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    # Django repeats every 4xx and 5xx here; the request's own line says it already.
    logging.getLogger("django.request").setLevel(logging.CRITICAL)
    logging.getLogger("django.security").setLevel(logging.ERROR)


def say_whose(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Name the run whose turn this is, the request of a webhook, and the trace, where somebody follows. Those of the
    API are named by the middleware."""
    if (request_id := REQUEST.get()) is not None:
        event.setdefault("request_id", str(request_id))
    if (run_id := RUN.get()) is not None:
        event.setdefault("run_id", str(run_id))
    if (span := SPAN.get()) is not None:
        event.setdefault("trace_id", span.trace_id)
    return event


def hide_secrets(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Blank values whose name says that they are secret."""
    for name in event:
        if any(word in name.lower() for word in _SECRET_WORDS):
            event[name] = "[hidden]"
    return event


def as_json(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> str:
    """The event as one JSON object in ASCII: no character of it ends a line."""
    return json.dumps({name: _cut(value) for name, value in event.items()}, default=str)


def as_plain(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> str:
    """The event as `time LEVEL words key=value …`, and a traceback on lines of its own."""
    time = str(event.pop("timestamp", ""))[11:23]
    level = str(event.pop("level", "info")).upper()
    logger = event.pop("logger", "")
    words = printable(str(event.pop("event", "")))
    traceback = event.pop("exception", None)
    rest = " ".join(f"{name}={_plain(value)}" for name, value in sorted(event.items()) if value is not None)
    line = f"{time} {level:<7} {words}" + (f"  {rest}" if rest else "") + (f"  [{logger}]" if logger else "")
    if traceback:
        line += "\n" + "\n".join(f"    {printable(part)}" for part in str(traceback).splitlines())
    return line


def printable(value: str) -> str:
    """The text on one line, control characters and invisible direction marks escaped, cut to a sane length."""
    if len(value) > MAX_VALUE:
        value = value[:MAX_VALUE] + "…"
    if value.isprintable():
        return value
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode() for c in value)


def _plain(value: Any) -> str:
    text = printable(str(value))
    return f'"{text}"' if " " in text else text


def _cut(value: Any) -> Any:
    if isinstance(value, str):
        value = value.encode("utf-8", "backslashreplace").decode()
        return value if len(value) <= MAX_VALUE else value[:MAX_VALUE] + "…"
    return value
