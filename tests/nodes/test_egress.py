# ruff: noqa: E501 (tables of cases are read row by row)
from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from runtime.sdk import PermanentError, RetryableError, StepFailure
from runtime.sdk.addresses import read_address, vet
from runtime.worker.egress import Egress
from runtime.worker.egress_rules import Guard, next_hop
from tests.nodes.servers import HOST, HttpServer, answer, drip, endless, gzip_bomb

REFUSED_URLS = [
    "http://127.0.0.1/", "http://0/", "http://0.0.0.0/", "http://127.1/", "http://2130706433/", "http://0x7f000001/",
    "http://0x7f.1/", "http://0177.0.0.1/", "http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/", "http://[::]/",
    "http://[0:0:0:0:0:ffff:169.254.169.254]/", "http://[64:ff9b::7f00:1]/", "http://[2002:7f00:1::]/", "http://[fc00::1]/",
    "http://[fe80::1%25eth0]/", "http://[fe80::1]/", "http://100.64.0.1/", "http://169.254.169.254/latest/meta-data/", "http://192.0.0.192/",
    "http://198.18.0.1/", "http://224.0.0.1/", "http://255.255.255.255/", "http://localhost/", "http://localhost./", "http://LOCALHOST/",
    "http://１２７.０.０.１/", "http://①②⑦.⓪.⓪.①/", "http://10.0.0.1/", "http://172.16.5.4/", "http://192.168.1.1/",
    "http://100.100.100.200/", "http://169.254.170.2/", "http://168.63.129.16/", "http://[2001::1]/", "http://[::127.0.0.1]/",
    "http://a@b/", "http://a:b@127.0.0.1/", "http://example.com\\@127.0.0.1/", "http://a#@127.0.0.1\\/", "http://exa\tmple.com/",
    "http://exam ple.com/", "http:///x", "http:/127.0.0.1/", "http://example.com:/", "http://example.com:0/", "http://example.com:99999/",
    "http://example.com:8x/", "file:///etc/passwd", "gopher://127.0.0.1:6379/_SET", "ftp://example.com/", "//example.com/", "",
    "http://[::1", "http://[v1.x]/", "http://exa_mple..com/", "http://%31%32%37.0.0.1/", "http://127.0.0.1%00.example.com/",
    "http://example.com\r\nHost: 127.0.0.1/", "javascript:alert(1)", "http://1.2.3.4.5/", "http://999.1.1.1/",
]  # fmt: skip


@pytest.mark.parametrize("url", REFUSED_URLS)
async def test_addresses_inside_or_ambiguous_are_refused(doors: Egress, server: HttpServer, url: str) -> None:
    with pytest.raises(PermanentError) as error:
        await doors.http.request("GET", url)
    assert error.value.code in ("address", "address_refused")
    assert server.seen == []


@pytest.mark.parametrize("text", ["93.184.216.34", "1.1.1.1", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_public_addresses_are_allowed(text: str) -> None:
    assert vet(ip_address(text))


def test_an_administrator_can_open_a_network_but_never_this_machine_or_metadata() -> None:
    allowed = [ip_network("10.0.0.0/8"), ip_network("0.0.0.0/0"), ip_network("::/0")]
    assert vet(ip_address("10.1.2.3"), allowed)
    for text in ("127.0.0.1", "169.254.169.254", "100.100.100.200", "0.0.0.0", "::1", "fe80::1", "::ffff:127.0.0.1"):
        assert not vet(ip_address(text), allowed), text


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("fd00:ec2::254", "fd00::/8"), ("fd00:ec2::23", "fc00::/7"), ("fd20:ce::254", "fd00::/8"), ("fe80::1", "fe80::/10"), ("::1", "::/0"),
        ("64:ff9b::7f00:1", "::/0"), ("64:ff9b::7f00:1", "64:ff9b::/96"), ("64:ff9b::a9fe:a9fe", "::/0"), ("64:ff9b:1::7f00:1", "::/0"),
        ("2002:7f00:1::1", "::/0"), ("2002:a9fe:a9fe::1", "2002::/16"), ("2001:0:7f00:1::1", "::/0"), ("2001:0:102:304::80ff:fffe", "::/0"),
        ("::127.0.0.1", "::/0"), ("::ffff:0:127.0.0.1", "::/0"), ("fd00::5efe:127.0.0.1", "fd00::/8"), ("fd00::200:5efe:a9fe:a9fe", "fd00::/8"),
        ("64:ff9b::a00:1", "::/0"), ("ff02::1", "::/0"),
    ],
)  # fmt: skip
def test_no_open_network_leads_to_this_machine_or_to_metadata(text: str, network: str) -> None:
    assert not vet(ip_address(text), [ip_network(network)])


@pytest.mark.parametrize("text", ["fd00::1", "fd12:3456::254", "64:ff9b::a00:1", "fd00::5efe:a00:1"])
def test_an_open_network_of_the_other_family_is_open(text: str) -> None:
    opened = [ip_network("fd00::/8"), ip_network("64:ff9b::/96"), ip_network("10.0.0.0/8")]
    assert vet(ip_address(text), opened)
    assert not vet(ip_address(text))


def lookups(monkeypatch: pytest.MonkeyPatch, answers: list[list[str]]) -> list[str]:
    """Let the resolver give these answers in turn; returns the names asked for."""
    asked: list[str] = []

    async def getaddrinfo(_loop: Any, host: str, port: int, **_rest: Any) -> list[Any]:
        asked.append(host)
        given = answers[min(len(asked) - 1, len(answers) - 1)]
        return [(2, 1, 6, "", (address, port)) for address in given]

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", getaddrinfo)
    return asked


async def test_one_private_answer_among_several_refuses_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    lookups(monkeypatch, [["93.184.216.34", "10.0.0.1"]])
    with pytest.raises(PermanentError, match=r"leads to 10\.0\.0\.1"):
        await Guard().addresses("mixed.example.com", 80, 1)


async def test_a_name_is_looked_up_once_so_that_it_cannot_change_its_mind(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = lookups(monkeypatch, [["93.184.216.34"], ["127.0.0.1"]])
    connected: list[str] = []

    async def open_connection(host: str, port: int, **_rest: Any) -> Any:
        connected.append(host)
        raise OSError("not in a test")

    monkeypatch.setattr(asyncio, "open_connection", open_connection)
    egress = Egress.make()
    with pytest.raises(RetryableError):
        await egress.http.request("GET", "http://rebind.example.com/")
    assert asked == ["rebind.example.com"]
    assert connected == ["93.184.216.34"]
    await egress.aclose()


async def test_a_name_that_leads_inside_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    lookups(monkeypatch, [["169.254.169.254"]])
    egress = Egress.make()
    for _ in range(3):
        with pytest.raises(PermanentError) as error:
            await egress.http.request("GET", "http://169.254.169.254.sslip.io/")
        assert error.value.code == "address_refused"


async def test_proxies_of_the_environment_are_not_used(
    monkeypatch: pytest.MonkeyPatch, doors: Egress, server: HttpServer
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    server.answers["/x"] = answer(204)
    assert (await doors.http.request("GET", server.url("/x"))).status == 204


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1/",
        "http://169.254.169.254/",
        "file:///etc/passwd",
        "gopher://x/",
        "//10.0.0.1/",
        "http://a@practice-company/",
    ],
)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_each_redirect_is_checked_again(doors: Egress, server: HttpServer, status: int, location: str) -> None:
    server.answers["/x"] = answer(status, Location=location)
    with pytest.raises(PermanentError) as error:
        await doors.http.request("GET", server.url("/x"))
    assert error.value.code in ("address", "address_refused")
    assert len(server.seen) == 1


async def test_redirects_are_followed_five_times_and_no_more(doors: Egress, server: HttpServer) -> None:
    for hop in range(9):
        server.answers[f"/{hop}"] = answer(302, Location=f"/{hop + 1}")
    server.answers["/9"] = answer(200, b'"there"')
    assert (await doors.http.request("GET", server.url("/4"))).content == b'"there"'
    with pytest.raises(PermanentError) as error:
        await doors.http.request("GET", server.url("/0"))
    assert error.value.code == "redirects"
    assert (await doors.http.request("GET", server.url("/0"), follow_redirects=False)).status == 302


@pytest.mark.parametrize("location", ["http://169.254.169.254/", "http://127.0.0.1:1/", "/x", "file:///etc/passwd"])
async def test_a_writing_call_that_is_led_on_may_have_happened_whatever_comes_next(
    doors: Egress, server: HttpServer, location: str
) -> None:
    server.answers["/x"] = answer(303, Location=location)
    with pytest.raises(StepFailure) as error:
        await doors.http.request("POST", server.url("/x"), content=b"{}")
    assert error.value.maybe_applied
    with pytest.raises(StepFailure) as error:
        await doors.http.request("GET", server.url("/x"))
    assert not error.value.maybe_applied


async def test_secrets_are_dropped_when_a_redirect_leads_to_another_host(server: HttpServer) -> None:
    two = ("127.0.0.1", server.port)
    named = {"practice-company": two}
    headers = [("Authorization", "Bearer secret"), ("X-Key", "secret"), ("X-Plain", "kept")]
    secret = frozenset({"authorization", "x-key"})
    here = read_address("http://practice-company/a")
    _method, _there, kept, _body = next_hop(named, "GET", here, headers, b"", 302, "https://other.example.com/", secret)
    assert kept == [("X-Plain", "kept")]
    _method, _there, kept, _body = next_hop(named, "GET", here, headers, b"", 302, "/b", secret)
    assert kept == headers
    with pytest.raises(PermanentError):
        next_hop(
            named, "GET", read_address("https://other.example.com/"), [], b"", 302, "http://practice-company/", secret
        )


@pytest.mark.parametrize(
    "name", ["X-Api-Key", "X-Auth-Token", "X-Auth", "Ocp-Apim-Subscription-Key", "X_Session", "Apikey"]
)
async def test_a_header_that_sounds_secret_stays_with_its_host(name: str) -> None:
    here = read_address("https://api.example.com/a")
    headers = [(name, "secret"), ("Idempotency-Key", "K1"), ("Accept", "text/csv")]
    for place in ("https://other.example.com/", "http://api.example.com/a", "https://api.example.com:8443/"):
        _method, _there, kept, body = next_hop({}, "POST", here, headers, b"1", 307, place, frozenset())
        assert (kept, body) == (headers[1:], b"1")
    _method, _there, kept, _body = next_hop({}, "POST", here, headers, b"1", 307, "/b", frozenset())
    assert kept == headers


async def test_a_post_becomes_a_get_where_the_web_says_so(doors: Egress, server: HttpServer) -> None:
    server.answers["/see-other"] = answer(303, Location="/end")
    server.answers["/keep"] = answer(307, Location="/end")
    server.answers["/end"] = answer(200, b"1")
    for path in ("/see-other", "/keep"):
        await doors.http.request(
            "POST", server.url(path), content=b"{}", headers=[("Content-Type", "application/json")]
        )
    assert [(seen.method, seen.body) for seen in server.seen if seen.path == "/end"] == [("GET", b""), ("POST", b"{}")]


@pytest.mark.parametrize("behaviour", [gzip_bomb, endless], ids=["gzip bomb", "endless"])
async def test_an_answer_has_a_size_beyond_which_it_is_refused(
    doors: Egress, server: HttpServer, behaviour: Any
) -> None:
    server.answers["/big"] = behaviour
    with pytest.raises(PermanentError) as error:
        await doors.http.request("POST", server.url("/big"), max_bytes=1_000_000)
    assert error.value.code == "too_big"
    assert error.value.maybe_applied


async def test_an_announced_size_is_refused_before_reading(doors: Egress, server: HttpServer) -> None:
    server.answers["/big"] = answer(200, b"x" * 2000)
    with pytest.raises(PermanentError):
        await doors.http.request("GET", server.url("/big"), max_bytes=1000)


async def test_a_slow_answer_is_given_up(doors: Egress, server: HttpServer) -> None:
    server.answers["/slow"] = drip
    with pytest.raises(RetryableError) as error:
        # Long enough for it to be on its way on a machine that is busy.
        await doors.http.request("POST", server.url("/slow"), total_seconds=1.5)
    assert error.value.code == "timeout"
    assert error.value.maybe_applied


async def test_what_never_left_is_not_taken_for_done(monkeypatch: pytest.MonkeyPatch) -> None:
    async def getaddrinfo(*_given: Any, **_more: Any) -> Any:
        await asyncio.Event().wait()

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", getaddrinfo)
    egress = Egress.make()
    with pytest.raises(RetryableError) as error:
        await egress.http.request("POST", "http://slow.example.com/", total_seconds=0.05)
    assert error.value.code == "timeout"
    assert not error.value.maybe_applied
    await egress.aclose()


@pytest.mark.parametrize(("method", "applied"), [("POST", True), ("GET", False)])
async def test_what_left_and_was_not_answered_may_be_done(
    doors: Egress, server: HttpServer, method: str, applied: bool
) -> None:
    release = threading.Event()

    def silent(_handler: Any) -> None:
        release.wait(10)

    server.answers["/x"] = silent
    try:
        with pytest.raises(RetryableError) as error:
            # Long enough to leave on a busy machine.
            await doors.http.request(method, server.url("/x"), total_seconds=2)
    finally:
        release.set()
    assert (error.value.code, error.value.maybe_applied) == ("timeout", applied)


async def test_nobody_listening_is_told_plainly_and_nothing_was_applied() -> None:
    egress = Egress.make(named={"practice-company": ("127.0.0.1", 1)})
    with pytest.raises(RetryableError) as error:
        await egress.http.request("POST", "http://practice-company/")
    assert error.value.code == "connect"
    assert not error.value.maybe_applied
    await egress.aclose()


async def test_connections_are_kept_and_reused(doors: Egress, server: HttpServer) -> None:
    server.answers["/x"] = answer(200, b"1")
    for _ in range(5):
        await doors.http.request("GET", server.url("/x"))
    assert (server.connections, len(server.seen)) == (1, 5)


async def test_requests_at_the_same_time_have_a_connection_each_and_the_next_ones_use_those(
    doors: Egress, server: HttpServer
) -> None:
    server.answers["/x"] = answer(200, b"1")

    async def four() -> None:
        await asyncio.gather(*(doors.http.request("GET", server.url("/x")) for _ in range(4)))

    await four()
    first = server.connections
    await four()
    assert first <= 4
    assert server.connections <= 4
    assert len(server.seen) == 8


async def test_a_connection_that_the_other_side_ended_is_not_used_again(doors: Egress, server: HttpServer) -> None:
    def once(handler: Any) -> None:
        answer(200, b"1")(handler)
        handler.close_connection = True

    server.answers["/x"] = once
    for _ in range(3):
        assert (await doors.http.request("POST", server.url("/x"))).status == 200
        await asyncio.sleep(0.05)
    assert server.connections == 3


async def test_a_connection_cut_off_in_the_middle_of_an_answer_is_not_used_again(
    doors: Egress, server: HttpServer
) -> None:
    server.answers["/slow"] = drip
    server.answers["/x"] = answer(200, b"1")
    with pytest.raises(RetryableError):
        await doors.http.request("GET", server.url("/slow"), total_seconds=0.2)
    assert (await doors.http.request("GET", server.url("/x"))).content == b"1"
    assert server.connections == 2


@asynccontextmanager
async def one_connection(server: HttpServer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Egress]:
    """A place to which there is one connection at a time: /slow keeps it as long as it may."""
    monkeypatch.setattr("runtime.worker.egress.CONNECTIONS", 1)
    server.answers["/slow"] = drip
    server.answers["/x"] = answer(200, b"1")
    doors = Egress.make(named={HOST: ("127.0.0.1", server.port)})
    try:
        yield doors
    finally:
        await doors.aclose()


async def test_a_request_for_which_there_is_no_connection_says_so_in_time(
    server: HttpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with one_connection(server, monkeypatch) as doors:
        slow = asyncio.create_task(doors.http.request("GET", server.url("/slow"), total_seconds=2))
        await asyncio.sleep(0.1)
        with pytest.raises(RetryableError) as refused:
            await doors.http.request("GET", server.url("/x"), connect_seconds=0.2, total_seconds=0.4)
        assert (refused.value.code, refused.value.maybe_applied) == ("pool", False)
        with pytest.raises(RetryableError):
            await slow
        assert (await doors.http.request("GET", server.url("/x"))).status == 200


async def test_a_request_waits_for_a_connection_as_long_as_it_has_time(
    server: HttpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with one_connection(server, monkeypatch) as doors:
        slow = asyncio.create_task(doors.http.request("GET", server.url("/slow"), total_seconds=1))
        await asyncio.sleep(0.1)
        assert (await doors.http.request("GET", server.url("/x"), connect_seconds=0.2)).status == 200
        assert slow.done()
        with pytest.raises(RetryableError):
            await slow


async def test_connections_to_places_that_are_not_used_again_are_closed(
    server: HttpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runtime.worker.egress.CONNECTIONS", 10)
    monkeypatch.setattr("runtime.worker.egress.KEEP_ALIVE_SECONDS", 0.3)
    server.answers["/x"] = answer(200, b"1")
    doors = Egress.make(named={f"place{number}": ("127.0.0.1", server.port) for number in range(30)})
    try:
        for number in range(30):
            await doors.http.request("GET", f"http://place{number}/x")
        pool = doors.http._pool()
        assert pool.idle <= 5
        await asyncio.sleep(1.8)
        assert pool.idle == 0
        assert (await doors.http.request("GET", "http://place3/x")).status == 200
    finally:
        await doors.aclose()


async def test_header_injection_never_leaves(doors: Egress, server: HttpServer) -> None:
    with pytest.raises(StepFailure):
        await doors.http.request("GET", server.url("/x"), headers=[("X-A", "a\r\nX-B: c")])
    assert server.seen == []


def test_the_reader_of_addresses_escapes_what_it_passes_on() -> None:
    address = read_address("https://Example.COM:443/a%20b/ü?q=ä&x=1#part")
    assert str(address) == "https://example.com/a%20b/%C3%BC?q=%C3%A4&x=1"
    assert read_address("http://bücher.example/").host == "xn--bcher-kva.example"


async def test_an_address_that_is_refused_is_named_once() -> None:
    with pytest.raises(PermanentError) as refused:
        await Guard().addresses("127.0.0.1", 80, 1.0)
    assert refused.value.message.startswith("127.0.0.1 is inside this network or this machine.")
