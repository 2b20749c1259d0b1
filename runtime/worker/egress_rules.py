"""The rules of the door to the network: whom a name may lead to, where a redirect may go, how much is read.

No connection is made here; `egress` makes them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextvars import ContextVar
from ipaddress import IPv4Network, IPv6Network, ip_address
from threading import Lock
from typing import Final, TypeAlias
from urllib.parse import urljoin

from runtime.sdk import PermanentError, RetryableError, StepFailure
from runtime.sdk.addresses import Address, Ip, read_address, vet
from runtime.sdk.context import Portions
from runtime.sdk.files import in_words
from runtime.sdk.packing import PackingError, Unpacker
from runtime.sdk.redaction import is_secret_name

Named: TypeAlias = Mapping[str, tuple[str, int]]

MAX_ADDRESSES: Final = 3
MAX_BYTES: Final = 50 * 1024 * 1024
#: Of packed bytes that are unpacked at once where the whole is not held in memory.
_PIECE: Final = 1024
_NO_LIMIT: Final = 2**62
#: Headers that never follow a redirect to another host.
SECRET_HEADERS: Final = frozenset(("authorization", "cookie", "proxy-authorization", "www-authenticate"))
#: SOCK_STREAM and IPPROTO_TCP.
_STREAM: Final = 1
_TCP: Final = 6


class Guard:
    """Resolves and vets. Shared by HTTP and mail."""

    def __init__(self, allowed: Sequence[IPv4Network | IPv6Network] = ()) -> None:
        self.allowed = tuple(allowed)

    async def addresses(self, host: str, port: int, timeout: float) -> list[Ip]:
        """The vetted addresses of a host, from one look-up; raises PermanentError when any of them is refused."""
        try:
            found: list[Ip] = [ip_address(host)]
        except ValueError:
            found = await self._look_up(host, port, timeout)
        for address in found:
            if not vet(address, self.allowed):
                where = f"{address} is" if host == str(address) else f"{host} leads to {address}, which is"
                raise PermanentError(
                    "This address is not allowed",
                    f"{where} inside this network or this machine. Steps may only speak to public addresses.",
                    "address_refused",
                )
        return found[:MAX_ADDRESSES]

    async def _look_up(self, host: str, port: int, timeout: float) -> list[Ip]:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeout):
                answers = await loop.getaddrinfo(host, port, type=_STREAM, proto=_TCP)
        except TimeoutError:
            raise RetryableError(
                "Name not found in time", f"The name {host} could not be looked up in time.", "dns_timeout"
            ) from None
        except (OSError, UnicodeError):
            raise RetryableError(
                "Name not found", f"There is no host called {host}, or it cannot be looked up now.", "dns"
            ) from None
        found = dict.fromkeys(ip_address(str(answer[4][0]).partition("%")[0]) for answer in answers)
        if not found:
            raise RetryableError("Name not found", f"The name {host} has no address.", "dns")
        return list(found)


def next_hop(
    named: Named,
    method: str,
    address: Address,
    headers: list[tuple[str, str]],
    content: bytes | Portions,
    status: int,
    location: str,
    secret: frozenset[str],
) -> tuple[str, Address, list[tuple[str, str]], bytes | Portions]:
    """The next hop: re-read, secrets dropped when it leads to another host, never into a named host."""
    following = read_address(urljoin(str(address), location))
    if following.host in named and following.host != address.host:
        raise PermanentError(
            "This address is not allowed", f"{address.host} redirected to {following.host}.", "address_refused"
        )
    dropped: set[str] = set()
    if following.origin != address.origin:
        dropped |= secret | {name.lower() for name, _value in headers if _is_secret(name)}
    if (status == 303 and method not in ("GET", "HEAD")) or (status in (301, 302) and method == "POST"):
        method, content = "GET", b""
        dropped |= {"content-type", "content-length", "content-encoding"}
    return method, following, [(name, value) for name, value in headers if name.lower() not in dropped], content


#: Parts of a header's name that speak of a secret: X-Auth, Ocp-Apim-Subscription-Key, X-Session-Id.
_SECRET_PARTS: Final = frozenset(("auth", "credential", "credentials", "jwt", "key", "pass", "session", "sid", "sig"))


def _is_secret(name: str) -> bool:
    """Whether a header of this name may hold a secret. A key by which repeats are known is none, and must stay."""
    lowered = name.lower().replace("_", "-")
    if "idempoten" in lowered:
        return False
    return is_secret_name(lowered) or not _SECRET_PARTS.isdisjoint(lowered.split("-"))


def merge_headers(raw: Sequence[tuple[bytes, bytes]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name_bytes, value_bytes in raw:
        name, value = name_bytes.decode("latin-1").lower(), value_bytes.decode("latin-1")
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


#: Of the call that this task makes: called whenever a request of it begins to leave. None: nobody wants to know.
ON_LEAVING: Final[ContextVar[Callable[[], None] | None]] = ContextVar("on_leaving", default=None)


def leaves(sent: list[bool], told: Callable[[], None] | None) -> Callable[[str, object], Awaitable[None]]:
    """A listener to the connection that notes when a request begins to leave: until then nothing can have happened."""

    async def listen(event: str, _details: object) -> None:
        if event.endswith("send_request_headers.started"):
            sent[0] = True
            if told is not None:
                told()

    return listen


async def portions_of(
    chunks: AsyncIterator[bytes], headers: Mapping[str, str], max_bytes: int | None, host: str, method: str = "GET"
) -> AsyncGenerator[bytes]:
    """The body, decompressed, as it comes, never more than ``max_bytes`` of it; a part of it is a failure.

    Without a limit whoever takes it has one of their own; no portion is larger than what they can hold.
    """
    announced = headers.get("content-length", "")
    # An answer to HEAD names the length of what it leaves out.
    if (
        max_bytes is not None
        and method != "HEAD"
        and announced.isdecimal()
        and len(announced) < 20
        and int(announced) > max_bytes
    ):
        raise _too_big(host, max_bytes)
    try:
        packing = headers.get("content-encoding", "") if method != "HEAD" else ""
        unpacker = Unpacker(packing, _NO_LIMIT if max_bytes is None else max_bytes)
        async for chunk in chunks:
            # A small piece may become a thousand times as much.
            pieces = [chunk] if max_bytes is not None or not packing else _cut(chunk)
            for piece in pieces:
                if portion := unpacker.feed(piece):
                    yield portion
        unpacker.finish()
    except PackingError as error:
        if error.code == "too_big":
            raise _too_big(host, max_bytes or 0) from None
        if error.code == "cut_off":
            raise RetryableError("The answer was cut off", f"The answer of {host} {error}.", "cut_off") from None
        raise PermanentError("The answer cannot be unpacked", f"The answer of {host} {error}.", "encoding") from None


def _cut(chunk: bytes) -> list[bytes]:
    return [chunk[start : start + _PIECE] for start in range(0, len(chunk), _PIECE)]


def _too_big(host: str, max_bytes: int) -> PermanentError:
    return PermanentError(
        "The answer is too big", f"The answer of {host} is bigger than {max_bytes // 1024 // 1024 or 1} MB.", "too_big"
    )


class Delivery:
    """How far a mail is, shared by the thread that speaks and the loop that may lose patience: one of them decides."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._given_up = False
        #: Whether the text left and was not refused.
        self.maybe_sent = False

    def may_leave(self) -> bool:
        """Ask, right before the text leaves, whether anybody still waits for it."""
        with self._lock:
            self.maybe_sent = not self._given_up
            return self.maybe_sent

    def refused(self) -> None:
        """The server took the text and said no."""
        with self._lock:
            self.maybe_sent = False

    def give_up(self) -> bool:
        """Nothing leaves after this; returns whether it had left already."""
        with self._lock:
            self._given_up = True
            return self.maybe_sent


def is_v6(host: str) -> bool:
    try:
        return ip_address(host).version == 6
    except ValueError:
        return False


def said(words: bytes | str) -> str:
    return words.decode(errors="replace")[:500] if isinstance(words, bytes) else str(words)[:500]


def all_refused(host: str, refused: Mapping[str, tuple[int, bytes]]) -> StepFailure:
    who, (code, words) = next(iter(refused.items()))
    kind = RetryableError if all(400 <= code < 500 for code, _ in refused.values()) else PermanentError
    return kind(
        "The recipients were refused",
        f"The mail server {host} does not take mail for {who}: “{said(words)[:200]}”.",
        "smtp_recipients",
        detail=f"{code} {said(words)}",
    )


def mail_refused(host: str, code: int, words: str) -> StepFailure:
    """The mail server's own no: for now (4xx) or for good."""
    kind = RetryableError if 400 <= code < 500 else PermanentError
    return kind(
        "The mail was refused",
        f"The mail server {host} answered {code}: “{words[:200]}”.",
        f"smtp_{code}",
        detail=words,
    )


#: Code → title, what comes after "The mail server <host>", whether it may work later.
_MAIL_FAILURES: Final[Mapping[str, tuple[str, str, bool]]] = {
    "timeout": ("No answer in time", "did not answer in time.", True),
    "smtp_auth": ("Sign-in refused", "refused the user name or password.", False),
    "smtp_unsupported": ("The mail server cannot do this", "does not offer what the connection asks for.", False),
    "tls": ("The certificate is not trusted", "could not prove who it is.", False),
    "smtp_connection": ("No connection to the mail server", "cannot be reached, or it ended the connection.", True),
}


def mail_failure(host: str, code: str, detail: str = "", *, maybe_applied: bool = False) -> StepFailure:
    """A failure to hand over mail, in words; the server's own text is the detail."""
    title, says, again = _MAIL_FAILURES[code]
    kind = RetryableError if again else PermanentError
    return kind(title, f"The mail server {host} {says}", code, detail=detail[:500] or None, maybe_applied=maybe_applied)


def too_large_for(host: str, size: int, most: int) -> PermanentError:
    """The mail server says in advance that it takes no mail of this size."""
    return PermanentError(
        "The mail is too large",
        f"The mail server {host} takes mails of at most {in_words(most)}, and this one has {in_words(size)}. Attach "
        "less, or send a link.",
        "mail_too_large",
    )
