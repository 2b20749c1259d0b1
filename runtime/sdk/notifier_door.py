"""What stands in place of `requests` in the services of Apprise: each request goes by the way that is open in this
context, and nowhere where none is. Loaded with the library itself.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC
from functools import cache
from types import ModuleType
from typing import Any, Final, TypeAlias

import apprise
import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from requests.utils import get_encoding_from_headers

from runtime.sdk.context import HttpAnswer
from runtime.sdk.notifiers import NotReached

__all__ = ["Way", "asset", "opened", "prepared"]

#: Method, address, headers, body → the answer. Raises NotReached.
Way: TypeAlias = Callable[[str, str, list[tuple[str, str]], bytes], HttpAnswer]

_WAY: Final[ContextVar[Way | None]] = ContextVar("notifier_way", default=None)
#: Ways out of the library that are no names of this door.
_CLOSED: Final = frozenset({"adapters", "api", "sessions", "session"})
#: Said by whoever knows better: how long the body is, and which packings can be undone.
_NOT_HANDED_ON: Final = frozenset({"accept-encoding", "connection", "content-length", "host", "transfer-encoding"})

# What it writes down may hold addresses and answers, which are secrets.
logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
logging.getLogger("apprise").propagate = False


@contextmanager
def opened(way: Way) -> Iterator[None]:
    """Inside, services may be reached, by this way."""
    before = _WAY.set(way)
    try:
        yield
    finally:
        _WAY.reset(before)


class _Adapter(BaseAdapter):
    def send(self, request: Any, *_: Any, **__: Any) -> Any:
        way = _WAY.get()
        if way is None:
            raise requests.ConnectionError("no way is open")
        body = request.body or b""
        if isinstance(body, str):
            body = body.encode()
        if not isinstance(body, bytes):
            raise requests.ConnectionError("only what is known in full is sent")
        headers = [
            (_text(name), _text(value))
            for name, value in request.headers.items()
            if _text(name).lower() not in _NOT_HANDED_ON
        ]
        try:
            answer = way(str(request.method), str(request.url), headers, body)
        except NotReached as error:
            raise requests.ConnectionError(str(error)) from None
        made = requests.Response()
        made.status_code = answer.status
        made.headers = CaseInsensitiveDict(answer.headers)
        made.encoding = get_encoding_from_headers(made.headers)
        made.url = request.url
        made.request = request
        made.connection = self  # type: ignore[assignment]  # a second try with a sign-in goes the same way
        made._content = answer.content
        return made

    def close(self) -> None:
        pass


class _Session(requests.Session):
    """Neither proxies nor passwords of the environment, and no redirect is followed."""

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False
        self.adapters.clear()
        for scheme in ("http://", "https://"):
            self.mount(scheme, _Adapter())

    def send(self, request: Any, **more: Any) -> Any:
        return super().send(request, **{**more, "allow_redirects": False})


class _Door:
    """Takes the place of the module `requests`."""

    Session = _Session

    def request(self, method: str, url: str, **more: Any) -> Any:
        with _Session() as session:
            return session.request(method, url, **more)

    def get(self, url: str, params: Any = None, **more: Any) -> Any:
        return self.request("GET", url, params=params, **more)

    def post(self, url: str, data: Any = None, json: Any = None, **more: Any) -> Any:
        return self.request("POST", url, data=data, json=json, **more)

    def put(self, url: str, data: Any = None, **more: Any) -> Any:
        return self.request("PUT", url, data=data, **more)

    def patch(self, url: str, data: Any = None, **more: Any) -> Any:
        return self.request("PATCH", url, data=data, **more)

    def delete(self, url: str, **more: Any) -> Any:
        return self.request("DELETE", url, **more)

    def head(self, url: str, **more: Any) -> Any:
        return self.request("HEAD", url, **more)

    def __getattr__(self, name: str) -> Any:
        if name in _CLOSED:
            raise AttributeError(name)
        return getattr(requests, name)


DOOR: Final = _Door()


class _NoAttachment:
    """Attachments are read from files of the server or fetched from anywhere: there are none."""

    def __init__(self, paths: Any = None, **_: Any) -> None:
        if paths:
            raise TypeError("no attachments")

    def add(self, *_: Any, **__: Any) -> bool:
        raise TypeError("no attachments")

    def __len__(self) -> int:
        return 0

    def __iter__(self) -> Iterator[Any]:
        return iter(())


def _no_file(*_: Any, **__: Any) -> Any:
    raise OSError("no files")


def prepared(plugin: ModuleType) -> ModuleType:
    """A plugin's module whose requests go through the door; so do those of all modules that came with it."""
    for name, module in list(sys.modules.items()):
        if not name.startswith("apprise.") or module is None:
            continue
        held = vars(module)
        if held.get("requests") is requests:
            held["requests"] = DOOR
        if name.startswith("apprise.plugins.") and name != "apprise.plugins.base":
            held["open"] = _no_file
            if "AppriseAttachment" in held:
                held["AppriseAttachment"] = _NoAttachment
    return plugin


@cache
def asset() -> Any:
    """How the library presents itself, and that it keeps nothing on the disk."""
    return apprise.AppriseAsset(
        app_id="Millrace",
        app_desc="Millrace",
        app_url="",
        image_url_mask="",
        image_url_logo="",
        image_path_mask=False,
        storage_mode="memory",
        secure_logging=True,
        language="en",
        timezone=UTC,
    )


def _text(part: Any) -> str:
    return part.decode("latin-1") if isinstance(part, bytes) else str(part)
