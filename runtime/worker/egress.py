"""The only door from a step to the network.

A name is resolved once, every address it has is vetted, and the connection goes to a vetted address, so that what was
checked is what is spoken to (no rebinding). One private answer among several refuses the name. This holds on every
redirect and for mail too. Proxies of the environment are never used. Only named hosts of the product are on loopback.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from ipaddress import ip_network
from typing import Any, Final
from weakref import WeakKeyDictionary

import httpcore2

from runtime.sdk import HttpAnswer, PermanentError, RetryableError, StepFailure
from runtime.sdk.addresses import Address, read_address
from runtime.sdk.context import OpenSink, Portions, SftpDoor
from runtime.worker.egress_mail import EgressMail, trusted
from runtime.worker.egress_pool import Pool
from runtime.worker.egress_rules import (
    MAX_BYTES,
    ON_LEAVING,
    SECRET_HEADERS,
    Guard,
    Named,
    leaves,
    merge_headers,
    next_hop,
    portions_of,
)
from runtime.worker.folders import LocalFolders
from runtime.worker.traced import Calling, handed_on

MAX_REDIRECTS: Final = 5
_READS: Final = ("GET", "HEAD", "OPTIONS")
CONNECTIONS: Final = 200
#: Shorter than the five seconds after which many servers drop an idle connection.
KEEP_ALIVE_SECONDS: Final = 4.0


class _Stream(httpcore2.AsyncNetworkStream):
    """A connection on asyncio's own streams: about half the cost of a general-purpose layer per request.

    Reading and writing have no time-outs of their own: the whole exchange runs under one.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        try:
            return await self._reader.read(max_bytes)
        except (OSError, RuntimeError) as error:
            raise httpcore2.ReadError(str(error)) from error

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if not buffer:
            return
        try:
            self._writer.write(buffer)
            await self._writer.drain()
        except (OSError, RuntimeError) as error:
            raise httpcore2.WriteError(str(error)) from error

    async def aclose(self) -> None:
        self._writer.close()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.AsyncNetworkStream:
        try:
            async with asyncio.timeout(timeout):
                await self._writer.start_tls(ssl_context, server_hostname=server_hostname)
        except TimeoutError as error:
            self._writer.close()
            raise httpcore2.ConnectTimeout(str(error)) from error
        except OSError as error:
            self._writer.close()
            raise httpcore2.ConnectError(str(error)) from error
        return self

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":
            # Something to read on an idle connection, or its end: not to be used again.
            return self._reader.at_eof() or bool(getattr(self._reader, "_buffer", b"")) or self._writer.is_closing()
        return self._writer.get_extra_info({"socket": "socket", "ssl_object": "ssl_object"}.get(info, info))


async def _connect(address: str, port: int, timeout: float) -> _Stream:
    try:
        async with asyncio.timeout(timeout):
            return _Stream(*await asyncio.open_connection(address, port))
    except TimeoutError as error:
        raise httpcore2.ConnectTimeout(str(error)) from error
    except OSError as error:
        raise httpcore2.ConnectError(str(error)) from error


class _Network(httpcore2.AsyncNetworkBackend):
    """Opens sockets to vetted addresses only. TLS still proves the name."""

    def __init__(self, guard: Guard, named: Named) -> None:
        self._guard = guard
        self._named = named

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        seconds = timeout or 10.0
        if host in self._named:
            return await _connect(*self._named[host], seconds)
        last: Exception = httpcore2.ConnectError("no address")
        for address in await self._guard.addresses(host, port, seconds):
            try:
                return await _connect(str(address), port, seconds)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                last = error
        raise last

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore2.AsyncNetworkStream:
        raise PermanentError("This address is not allowed", "Steps do not speak to local sockets.", "address_refused")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class EgressClient:
    """HTTP through the guard; see `runtime.sdk.context.HttpClient`. One pool of connections for each event loop."""

    def __init__(self, *, guard: Guard, named: Named, tls: ssl.SSLContext | None = None) -> None:
        self._guard = guard
        self._named = {name.lower(): target for name, target in named.items()}
        self._tls = tls
        self._pools: WeakKeyDictionary[asyncio.AbstractEventLoop, Pool] = WeakKeyDictionary()

    def _pool(self) -> Pool:
        loop = asyncio.get_running_loop()
        pool = self._pools.get(loop)
        if pool is None:
            pool = self._pools[loop] = Pool(
                tls=self._tls or trusted("http"),
                network=_Network(self._guard, self._named),
                most=CONNECTIONS,
                most_idle=CONNECTIONS // 2,
                keep_alive_seconds=KEEP_ALIVE_SECONDS,
            )
        return pool

    async def aclose(self) -> None:
        """Close this loop's connections."""
        pool = self._pools.pop(asyncio.get_running_loop(), None)
        if pool is not None:
            await pool.aclose()

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Sequence[tuple[str, str]] = (),
        content: bytes | Portions = b"",
        connect_seconds: float = 5.0,
        total_seconds: float = 30.0,
        follow_redirects: bool = True,
        max_bytes: int | None = None,
        drop_on_redirect: Sequence[str] = (),
        sink: OpenSink | None = None,
    ) -> HttpAnswer:
        address = read_address(url)
        secret = SECRET_HEADERS | {name.lower() for name in drop_on_redirect}
        started, sending = time.perf_counter(), list(headers)
        if not any(name.lower() == "user-agent" for name, _ in sending):
            sending.append(("User-Agent", "Millrace"))
        sent = [False]
        writes, led_on = method not in _READS, False
        room = max(connect_seconds, total_seconds * 0.9)  # for a connection: that many are under way is no failure
        try:
            with Calling("HTTP", address.host, address.port, method) as call:
                async with asyncio.timeout(total_seconds):
                    for hop in range(MAX_REDIRECTS + 1):
                        status, answered, body = await self._exchange(
                            method, address, sending, content, (connect_seconds, room), max_bytes or MAX_BYTES, sent,
                            lambda status, answered: (
                                None if sink is None or (follow_redirects and _leads_on(status, answered))
                                else sink(status, answered)
                            ),
                        )  # fmt: skip
                        location = answered.get("location", "")
                        if not (follow_redirects and _leads_on(status, answered)):
                            took = int((time.perf_counter() - started) * 1000)
                            call.answered(status)
                            return HttpAnswer(status, answered, body, took, str(address))
                        if hop == MAX_REDIRECTS:
                            break
                        led_on = True
                        method, address, sending, content = next_hop(
                            self._named, method, address, sending, content, status, location, secret
                        )
        except TimeoutError:
            raise RetryableError(
                "No answer in time",
                f"{address.host} did not answer completely within {total_seconds:g} seconds.",
                "timeout",
                maybe_applied=writes and sent[0],
            ) from None
        except StepFailure as failure:
            # Who answers a writing call with an address to go to has mostly done what was asked.
            failure.maybe_applied = failure.maybe_applied or (writes and led_on)
            raise
        says = f"{address.host} redirected more than {MAX_REDIRECTS} times."
        raise PermanentError("Too many redirects", says, "redirects", maybe_applied=writes)

    async def _exchange(
        self,
        method: str,
        address: Address,
        headers: Sequence[tuple[str, str]],
        content: bytes | Portions,
        patience: tuple[float, float],
        max_bytes: int,
        sent: list[bool],
        sink: OpenSink,
    ) -> tuple[int, dict[str, str], bytes]:
        host = address.host
        raw = [(b"Host", address.host_header.encode())]
        try:
            raw += [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers]
        except UnicodeEncodeError:
            raise PermanentError(
                "A header cannot be sent", "A header has characters that headers cannot carry.", "header"
            ) from None
        raw += handed_on(host, headers)
        if not any(name.lower() == "accept-encoding" for name, _ in headers):
            raw.append((b"Accept-Encoding", b"gzip, deflate"))
        size = content.size if isinstance(content, Portions) else len(content)
        if size or method in ("POST", "PUT", "PATCH"):
            raw.append((b"Content-Length", str(size).encode()))
        request = httpcore2.Request(
            method,
            httpcore2.URL(
                scheme=address.scheme.encode(),
                host=host.encode(),
                port=None if address.port == {"http": 80, "https": 443}[address.scheme] else address.port,
                target=address.target.encode(),
            ),
            headers=raw,
            content=content.portions() if isinstance(content, Portions) else content,
            extensions={"timeout": {"connect": patience[0], "pool": patience[1]}},
        )
        writes = method not in _READS
        if (told := ON_LEAVING.get()) is not None or writes:
            request.extensions = {**request.extensions, "trace": leaves(sent, told)}
        connected = False
        try:
            async with self._pool().exchange(request) as response:
                connected = sent[0] = True
                answered = merge_headers(response.headers)
                take = sink(response.status, answered)
                most = max_bytes if take is None else None
                async with contextlib.aclosing(
                    portions_of(response.aiter_stream(), answered, most, host, method)
                ) as portions:
                    if take is None:
                        return response.status, answered, b"".join([portion async for portion in portions])
                    await take(portions)
                    return response.status, answered, b""
        except StepFailure as failure:
            failure.maybe_applied = failure.maybe_applied or (writes and connected)
            raise
        except httpcore2.PoolTimeout:
            raise RetryableError("Too much at once", "Too many requests are under way from here.", "pool") from None
        except (httpcore2.ConnectTimeout, httpcore2.ConnectError) as error:
            raise _not_connected(host, error, patience[0]) from None
        except (httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.TimeoutException) as error:
            if isinstance(error, httpcore2.LocalProtocolError):
                raise PermanentError(
                    "The request cannot be sent", f"This request cannot be sent to {host}.", "request",
                    detail=str(error)[:500],
                ) from None  # fmt: skip
            raise RetryableError(
                "The connection broke", f"{host} ended the connection before it had answered.", "connection_lost",
                detail=str(error)[:500] or type(error).__name__, maybe_applied=writes,
            ) from None  # fmt: skip
        except (OSError, ValueError, httpcore2.UnsupportedProtocol) as error:
            raise RetryableError(
                "The connection broke", f"Speaking to {host} failed.", "connection_lost",
                detail=str(error)[:500], maybe_applied=writes,
            ) from None  # fmt: skip


def _leads_on(status: int, answered: Mapping[str, str]) -> bool:
    return bool(answered.get("location")) and status in (301, 302, 303, 307, 308)


def _not_connected(host: str, error: Exception, seconds: float) -> StepFailure:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return PermanentError(
                "The certificate is not trusted",
                f"{host} could not prove who it is: {cause.verify_message}.",
                "tls",
                detail=str(cause)[:500],
            )
        if isinstance(cause, ssl.SSLError):
            return RetryableError(
                "No secure connection", f"No secure connection to {host} could be made.", "tls", detail=str(cause)[:500]
            )
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, httpcore2.ConnectTimeout):
        return RetryableError(
            "No connection in time",
            f"{host} did not take the connection within {seconds:g} seconds.",
            "connect_timeout",
        )
    return RetryableError(
        "No connection",
        f"{host} cannot be reached: it does not take the connection.",
        "connect",
        detail=str(error)[:500],
    )


class Egress:
    """The doors of a process, made once."""

    def __init__(
        self, *, http: EgressClient, mail: EgressMail, folders: LocalFolders, guard: Guard, named_sftp: Named
    ) -> None:
        self.http = http
        self.mail = mail
        self.folders = folders
        self._guard = guard
        self._named_sftp = named_sftp

    @cached_property
    def sftp(self) -> SftpDoor:
        """Made when it is first asked for: its library takes a tenth of a second and 15 MB to load."""
        from runtime.worker.egress_sftp import EgressSftp

        return EgressSftp(guard=self._guard, named=self._named_sftp)

    @classmethod
    def make(
        cls,
        *,
        named: Named | None = None,
        named_mail: Named | None = None,
        named_sftp: Named | None = None,
        allowed_networks: Sequence[str] = (),
        folders: Sequence[str] = (),
        tls: ssl.SSLContext | None = None,
    ) -> Egress:
        """``named``: host → (address, port) that may be on loopback; ``allowed_networks``: private networks opened;
        ``folders``: of this machine, opened."""
        guard = Guard([ip_network(text) for text in allowed_networks])
        return cls(
            http=EgressClient(guard=guard, named=named or {}, tls=tls),
            mail=EgressMail(guard=guard, named=named_mail or {}, tls=tls),
            folders=LocalFolders(folders),
            guard=guard,
            named_sftp=named_sftp or {},
        )

    @classmethod
    def from_settings(cls) -> Egress:
        """The doors as the process's settings say (PRACTICE_*, EGRESS_ALLOWED_NETWORKS, SAVE_FOLDERS)."""
        from django.conf import settings

        named: dict[str, tuple[str, int]] = {}
        named_mail: dict[str, tuple[str, int]] = {}
        host = getattr(settings, "PRACTICE_HOST", "practice-company")
        if getattr(settings, "PRACTICE_COMPANY", False):
            named[host] = settings.PRACTICE_ADDRESS
            named_mail[host] = settings.PRACTICE_SMTP_ADDRESS
        allowed = getattr(settings, "EGRESS_ALLOWED_NETWORKS", ())
        folders = getattr(settings, "SAVE_FOLDERS", ())
        return cls.make(named=named, named_mail=named_mail, allowed_networks=allowed, folders=folders)

    async def aclose(self) -> None:
        """Close this loop's connections."""
        await self.http.aclose()
