"""The operator's own object storage for what stands outside the rows, spoken to by plain requests in threads.

It is no step's door: its address is the operator's setting, so it may be inside the network, and nobody else's.
"""

from __future__ import annotations

import hashlib
import html
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Final, TypeVar

import httpcore2

from runtime.sdk import HttpAnswer
from runtime.sdk.s3 import EMPTY, Bucket, refusal
from runtime.store import failpoints
from runtime.worker.egress_mail import trusted

__all__ = ["S3Storage"]

T = TypeVar("T")

_CONNECTIONS: Final = 32
_TIMEOUTS: Final = {"connect": 5.0, "read": 60.0, "write": 60.0, "pool": 60.0}
#: Between the tries at one request.
_PAUSES: Final = (0.2, 1.0, 3.0)
_CONTENTS: Final = re.compile(r"<Contents>.*?</Contents>", re.DOTALL)
_KEY: Final = re.compile(r"<Key>([^<]+)</Key>")
_WRITTEN: Final = re.compile(r"<LastModified>([^<]+)</LastModified>")
_MORE: Final = re.compile(r"<NextContinuationToken>([^<]+)</NextContinuationToken>")


class _Passing(OSError):
    """It may go well when tried again."""


class S3Storage:
    """See `runtime.store.blobs.Storage`. `folder`: what all names begin with, empty or without a slash at its ends."""

    def __init__(self, bucket: Bucket, folder: str = "") -> None:
        self._bucket = bucket
        self._folder = f"{folder}/" if folder else ""
        self._pool = httpcore2.ConnectionPool(
            ssl_context=trusted("storage"), max_connections=_CONNECTIONS, keepalive_expiry=4.0
        )

    def close(self) -> None:
        """Close its connections."""
        self._pool.close()

    def put(self, key: str, portions: Callable[[], Iterator[bytes]], *, size: int, sha256: str) -> None:
        failpoints.hit("blob.upload:before")
        _again(lambda: self._put(key, portions(), size, sha256))
        failpoints.hit("blob.upload:after")

    def portions(self, key: str) -> Iterator[bytes]:
        with self._asked("GET", key) as response:
            if response.status == 404:
                raise FileNotFoundError(f"{self._bucket.host} has no {key}")
            if response.status != 200:
                raise self._refused(response)
            try:
                yield from response.iter_stream()
            except (httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.TimeoutException) as error:
                raise _broken(self._bucket.host, error) from error

    def delete(self, key: str) -> None:
        def gone() -> None:
            with self._asked("DELETE", key) as response:
                if response.status not in (200, 204, 404):
                    raise self._refused(response)

        _again(gone)

    def listing(self, prefix: str) -> Iterator[tuple[str, float]]:
        token = ""
        while True:
            query = [("list-type", "2"), ("prefix", f"{self._folder}{prefix}")]
            text = _again(lambda query=query, token=token: self._page(query, token))  # type: ignore[misc]
            for entry in _CONTENTS.findall(text):
                name, written = _KEY.search(entry), _WRITTEN.search(entry)
                if name and written:
                    at = datetime.fromisoformat(written[1].replace("Z", "+00:00")).timestamp()
                    yield html.unescape(name[1]).removeprefix(self._folder), at
            more = _MORE.search(text)
            if more is None:
                return
            token = html.unescape(more[1])

    def problem(self) -> str:
        """Why it cannot be used, in a sentence; empty where it can: something is written, read and removed."""
        key, data = ".millrace", b"Millrace was here."
        try:
            self._put(key, iter([data]), len(data), hashlib.sha256(data).hexdigest())
            found = b"".join(self.portions(key))
            self.delete(key)
        except OSError as error:
            return str(error)
        return "" if found == data else f"{self._bucket.host} gives back other bytes than it was given."

    def _put(self, key: str, portions: Iterator[bytes], size: int, sha256: str) -> None:
        headers = [("Content-Type", "application/octet-stream")]
        with self._asked("PUT", key, headers=headers, content=portions, size=size, sha256=sha256) as response:
            if response.status not in (200, 201, 204):
                raise self._refused(response)

    def _page(self, query: list[tuple[str, str]], token: str) -> str:
        more = [("continuation-token", token)] if token else []
        with self._asked("GET", None, query=[*query, *more]) as response:
            if response.status != 200:
                raise self._refused(response)
            return response.read().decode(errors="replace")

    @contextmanager
    def _asked(
        self,
        method: str,
        key: str | None,
        *,
        query: Sequence[tuple[str, str]] = (),
        headers: Sequence[tuple[str, str]] = (),
        content: Iterator[bytes] | None = None,
        size: int = 0,
        sha256: str = EMPTY,
    ) -> Iterator[httpcore2.Response]:
        """`key` None: the bucket itself."""
        url, signed = self._bucket.signed(
            method, "" if key is None else f"{self._folder}{key}", query=query, headers=headers, sha256=sha256,
            now_ms=int(time.time() * 1000),
        )  # fmt: skip
        if method == "PUT":
            signed.append(("Content-Length", str(size)))
        try:
            with self._pool.stream(
                method, url, headers=[("Host", self._bucket.host_header), *signed],
                content=content, extensions={"timeout": dict(_TIMEOUTS)},
            ) as response:  # fmt: skip
                yield response
        except (
            httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.TimeoutException, httpcore2.PoolTimeout
        ) as error:  # fmt: skip
            raise _broken(self._bucket.host, error) from error

    def _refused(self, response: httpcore2.Response) -> OSError:
        text = response.read().decode(errors="replace")
        said = refusal(self._bucket.host, HttpAnswer(response.status, {}, b"", 0, ""), text, writes=False)
        passes = response.status >= 500 or response.status in (408, 429)
        return (_Passing if passes else OSError)(said.message)


def _again(call: Callable[[], T]) -> T:
    for pause in _PAUSES:
        try:
            return call()
        except _Passing:
            time.sleep(pause)
    return call()


def _broken(host: str, error: Exception) -> OSError:
    return _Passing(f"Speaking to {host} failed: {str(error)[:200] or type(error).__name__}")
