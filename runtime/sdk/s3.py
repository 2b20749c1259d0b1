"""S3-compatible storage by plain requests, signed as AWS describes it (Signature Version 4).

An object is there whole or not at all. What a step writes bears the mark of its key, so that it is told apart later
from what others wrote. The digest of the bytes stands in the signature: a store that takes them has checked them.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

from runtime.sdk.addresses import read_address
from runtime.sdk.context import HttpAnswer, HttpClient, OpenSink, Portions
from runtime.sdk.errors import PermanentError, RetryableError, StepFailure

__all__ = ["EMPTY", "Bucket", "Object", "refusal", "signature"]

EMPTY: Final = hashlib.sha256(b"").hexdigest()
#: One request brings at most this many bytes.
MOST_BYTES: Final = 5 * 2**30
_MARK: Final = "x-amz-meta-millrace"
_CODE: Final = re.compile(r"<Code>([A-Za-z0-9.]{1,80})</Code>")
_SAYS: Final = re.compile(r"<Message>([^<]{1,400})</Message>")
_SECONDS: Final = 30.0
#: What stores call a refusal → title and sentence, which follows the store's host.
_WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "InvalidAccessKeyId": ("Sign-in refused", "does not know this access key."),
    "SignatureDoesNotMatch": ("Sign-in refused", "says that the secret key is another one, or the region is."),
    "AuthorizationHeaderMalformed": ("Sign-in refused", "says that the region is another one."),
    "AccessDenied": ("Not allowed", "does not allow this to the connection's key."),
    "NoSuchBucket": ("There is no such bucket", "has no bucket of this name."),
    "PermanentRedirect": ("The bucket is elsewhere", "says that this bucket has another address. Look up its region."),
    "RequestTimeTooSkewed": ("The clocks differ", "says that the clock of this machine is wrong."),
}


@dataclass(frozen=True, slots=True)
class Object:
    """What is known of an object without its bytes. `mark`: of the step that wrote it, empty for others."""

    size: int
    mark: str


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket with the key to it. `endpoint`: https://host[:port]; `by_host`: its name stands before the host."""

    endpoint: str
    region: str
    name: str
    access_key: str
    secret_key: str = field(repr=False)
    by_host: bool = False

    @property
    def host(self) -> str:
        """For people."""
        return read_address(self.endpoint).host

    def url(self, key: str) -> str:
        """Where an object is; the bucket itself for an empty key."""
        base = self.endpoint.rstrip("/")
        scheme, _, rest = base.partition("://")
        if self.by_host:
            return f"{scheme}://{self.name}.{rest}/{_quoted(key)}"
        return f"{base}/{_quoted(self.name)}" + (f"/{_quoted(key)}" if key else "")

    @property
    def host_header(self) -> str:
        """As requests name it."""
        return read_address(self.url("x")).host_header

    def signed(
        self,
        method: str,
        key: str,
        *,
        now_ms: int,
        query: Sequence[tuple[str, str]] = (),
        headers: Sequence[tuple[str, str]] = (),
        sha256: str = EMPTY,
    ) -> tuple[str, list[tuple[str, str]]]:
        """A request's address and its headers, these and those that prove who asks. `sha256`: of its body."""
        url = self.url(key)
        address = read_address(url)
        named = [
            *headers,
            ("x-amz-content-sha256", sha256),
            ("x-amz-date", datetime.fromtimestamp(now_ms // 1000, UTC).strftime("%Y%m%dT%H%M%SZ")),
        ]
        proof = signature(
            method=method, path=address.target.partition("?")[0], query=query,
            headers=[("host", address.host_header), *named], sha256=sha256, region=self.region,
            access_key=self.access_key, secret_key=self.secret_key,
        )  # fmt: skip
        if query:
            url += "?" + _query(query)
        return url, [*named, ("Authorization", proof), ("Accept-Encoding", "identity")]

    async def head(self, http: HttpClient, key: str, *, now_ms: int) -> Object | None:
        """What is known of an object; None where there is none. Raises StepFailure."""
        answer = await self._ask(http, "HEAD", key, now_ms=now_ms)
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise refusal(self.host, answer, "", writes=False)
        return Object(int(answer.headers.get("content-length") or 0), answer.headers.get(_MARK, ""))

    async def put(
        self,
        http: HttpClient,
        key: str,
        portions: Callable[[], AsyncIterator[bytes]],
        *,
        size: int,
        sha256: str,
        mime: str,
        mark: str,
        replace: bool,
        now_ms: int,
        total_seconds: float,
    ) -> bool:
        """Write an object; false, and nothing was done, where there is one and `replace` is not said. Raises
        StepFailure."""
        if size > MOST_BYTES:
            raise PermanentError("The file is too large", "One object takes at most 5 GiB here.", "file_too_large")
        headers = [("Content-Type", mime), (_MARK, mark)]
        body = Portions(size, portions)
        alone = [] if replace else [("If-None-Match", "*")]
        answer = await self._ask(
            http, "PUT", key, headers=[*headers, *alone], body=body, sha256=sha256, now_ms=now_ms,
            total_seconds=total_seconds,
        )  # fmt: skip
        if answer.status == 501 and alone:
            # A store that cannot promise this; it was asked before whether there is one.
            answer = await self._ask(
                http, "PUT", key, headers=headers, body=body, sha256=sha256, now_ms=now_ms,
                total_seconds=total_seconds,
            )  # fmt: skip
        if answer.status in (409, 412) and alone:
            return False
        if answer.status not in (200, 201, 204):
            raise refusal(self.host, answer, answer.content.decode(errors="replace"), writes=True)
        return True

    async def get(self, http: HttpClient, key: str, *, now_ms: int, sink: OpenSink, total_seconds: float) -> int:
        """Hand an object's bytes to the sink; the answer's status. Raises StepFailure."""
        answer = await self._ask(http, "GET", key, now_ms=now_ms, sink=sink, total_seconds=total_seconds)
        return answer.status

    async def delete(self, http: HttpClient, key: str, *, now_ms: int) -> None:
        """Remove an object; nothing where there is none. Raises StepFailure."""
        answer = await self._ask(http, "DELETE", key, now_ms=now_ms)
        if answer.status not in (200, 204, 404):
            raise refusal(self.host, answer, answer.content.decode(errors="replace"), writes=True)

    async def try_out(self, http: HttpClient, *, now_ms: int) -> str:
        """Ask without changing anything whether the store takes the key; what it says, for people."""
        query = [("list-type", "2"), ("max-keys", "1")]
        answer = await self._ask(http, "GET", "", query=query, now_ms=now_ms)
        text = answer.content.decode(errors="replace")
        if answer.status == 200:
            return f"{self.host} took the key, and the bucket {self.name} is there."
        if answer.status == 403 and code_of(text) == "AccessDenied":
            return (
                f"{self.host} took the key. It may not list the bucket {self.name}, so whether it may write shows when "
                "something is saved."
            )
        raise refusal(self.host, answer, text, writes=False)

    async def _ask(
        self,
        http: HttpClient,
        method: str,
        key: str,
        *,
        now_ms: int,
        query: Sequence[tuple[str, str]] = (),
        headers: Sequence[tuple[str, str]] = (),
        body: Portions | bytes = b"",
        sha256: str = EMPTY,
        sink: OpenSink | None = None,
        total_seconds: float = _SECONDS,
    ) -> HttpAnswer:
        url, signed = self.signed(method, key, query=query, headers=headers, sha256=sha256, now_ms=now_ms)
        return await http.request(
            method, url, headers=signed, content=body, total_seconds=total_seconds, follow_redirects=False, sink=sink,
        )  # fmt: skip


def signature(
    *,
    method: str,
    path: str,
    query: Sequence[tuple[str, str]],
    headers: Sequence[tuple[str, str]],
    sha256: str,
    region: str,
    access_key: str,
    secret_key: str,
    service: str = "s3",
) -> str:
    """The `Authorization` of a request (AWS Signature Version 4).

    `path`: as it is sent, escaped. `headers`: all that are signed, with `host` and `x-amz-date` among them. `sha256`:
    of the body.
    """
    found = sorted((name.lower(), " ".join(value.split())) for name, value in headers)
    at = dict(found)["x-amz-date"]
    names = ";".join(name for name, _ in found)
    lines = "".join(f"{name}:{value}\n" for name, value in found)
    canonical = "\n".join((method, path, _query(query), lines, names, sha256))
    scope = f"{at[:8]}/{region}/{service}/aws4_request"
    signing = "\n".join(("AWS4-HMAC-SHA256", at, scope, hashlib.sha256(canonical.encode()).hexdigest()))
    key = f"AWS4{secret_key}".encode()
    for part in (at[:8], region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    signed = hmac.digest(key, signing.encode(), "sha256").hex()
    return f"AWS4-HMAC-SHA256 Credential={access_key}/{scope}, SignedHeaders={names}, Signature={signed}"


def code_of(text: str) -> str:
    """What a store calls its refusal; empty where it says nothing."""
    found = _CODE.search(text)
    return found[1] if found else ""


def refusal(host: str, answer: HttpAnswer, text: str, *, writes: bool) -> StepFailure:
    """What an answer that is no success means."""
    code = code_of(text)
    said = _SAYS.search(text)
    title, words = _WORDS.get(code, ("The storage does not take it", ""))
    if not words:
        words = f"answered with status {answer.status}" + (
            f": “{said[1]}”." if said else f" ({code})." if code else "."
        )
    shared: dict[str, Any] = {"detail": text[:1000] or None, "http_status": answer.status}
    if answer.status in (408, 429) or answer.status >= 500:
        return RetryableError(title, f"{host} {words}", f"http_{answer.status}", maybe_applied=writes, **shared)
    if answer.status == 404 and not code:
        title, words = "Not found", "has no such bucket or object."
    elif answer.status == 403 and not code:
        title, words = "Not allowed", "refused the key, or does not allow it this."
    return PermanentError(title, f"{host} {words}", f"http_{answer.status}", **shared)


def _quoted(text: str) -> str:
    return quote(text, safe="/-_.~")


def _query(pairs: Sequence[tuple[str, str]]) -> str:
    return "&".join(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in sorted(pairs))
