from __future__ import annotations

import asyncio
import time
from base64 import b64decode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs

import pytest

from runtime.catalog import CATALOG
from runtime.engine.jsonprofile import dumps
from runtime.sdk import PermanentError, RetryableError, oauth
from runtime.sdk.connections import KINDS
from runtime.sdk.http_pages import HttpPages
from runtime.sdk.testing import KnownConnection, StepTestContext, run_step
from runtime.worker.egress import Egress
from tests.nodes.servers import HOST, HttpServer, answer, drip

SECRET = "s3cret&of=the client"
KIND = KINDS["http_oauth"]


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    oauth._KEPT.clear()
    yield
    oauth._KEPT.clear()


def service(server: HttpServer, *, seconds: object = 3600) -> list[str]:
    """A token service that gives another token each time; those that it gave."""
    given: list[str] = []

    def give(handler: BaseHTTPRequestHandler) -> None:
        given.append(f"tok-{len(given)}-{'x' * 12}")
        told = {"access_token": given[-1], "token_type": "Bearer", "expires_in": seconds}
        answer(200, dumps(told).encode())(handler)

    server.answers["/token"] = give
    return given


def fields(server: HttpServer, **more: Any) -> dict[str, Any]:
    told = {"token_url": server.url("/token"), "client_id": "mill", "client_secret": SECRET, "allowed_hosts": [HOST]}
    return {**told, **more}


async def call(server: HttpServer, doors: Egress, context: StepTestContext | None = None, **more: Any) -> Any:
    node = CATALOG.get("http.request@1")
    assert node is not None
    here = {"c": KnownConnection("http_oauth", fields(server, **more))}
    context = context or StepTestContext(doors=doors)
    context.connections = here
    config = {"method": "POST", "url": server.url("/invoices"), "connection": "c"}
    return await run_step(node, config, data=None, context=context)


async def test_a_token_is_asked_for_once_and_used_by_all_that_follow(server: HttpServer, doors: Egress) -> None:
    given = service(server)
    server.answers["/invoices"] = answer(201)
    await asyncio.gather(*(call(server, doors) for _ in range(5)))
    await call(server, doors)
    asked = [seen for seen in server.seen if seen.path == "/token"]
    assert len(asked) == 1, "by steps that begin together, too"
    assert asked[0].headers["Authorization"].startswith("Basic ")
    assert b64decode(asked[0].headers["Authorization"][6:]).decode() == "mill:s3cret%26of%3Dthe+client"
    assert parse_qs(asked[0].body.decode()) == {"grant_type": ["client_credentials"]}
    sent = {seen.headers["Authorization"] for seen in server.seen if seen.path == "/invoices"}
    assert sent == {f"Bearer {given[0]}"}


async def test_the_secret_goes_among_the_fields_where_the_service_wants_it_so(
    server: HttpServer, doors: Egress
) -> None:
    service(server)
    server.answers["/invoices"] = answer(201)
    await call(server, doors, sent="body", scope="read write", audience="https://erp.example")
    asked = server.seen[0]
    assert "Authorization" not in asked.headers
    assert parse_qs(asked.body.decode()) == {
        "grant_type": ["client_credentials"], "client_id": ["mill"], "client_secret": [SECRET],
        "scope": ["read write"], "audience": ["https://erp.example"],
    }  # fmt: skip


@pytest.mark.parametrize(("seconds", "asked"), [(-5, 2), (None, 1), (0, 1), ("3600", 1)])
async def test_a_token_is_used_for_as_long_as_it_is_good_and_for_some_minutes_where_nothing_is_said(
    server: HttpServer, doors: Egress, seconds: object, asked: int
) -> None:
    given = service(server, seconds=seconds)
    server.answers["/invoices"] = answer(201)
    await call(server, doors)
    await call(server, doors)
    assert len(given) == asked


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("3599.5", 3599), ('"3600"', 3600), ('"3599.5"', 3599), ('" 60 "', 60), ("3.6e3", 3600), ("3600", 3600),
     ('".5"', 0), ("1e300", 86_400), ("9" * 400, 86_400), ("0.5", 0), ('"0"', 300), ("null", 300)],
)  # fmt: skip
async def test_for_how_long_a_token_is_good_may_be_said_as_a_fraction_or_as_a_text(
    server: HttpServer, doors: Egress, monkeypatch: pytest.MonkeyPatch, said: str, seconds: int
) -> None:
    kept: list[float] = []
    keep = oauth._keep

    def noted(key: str, token: str, good: float) -> str:
        kept.append(good)
        return keep(key, token, good)

    monkeypatch.setattr(oauth, "_keep", noted)
    server.answers["/token"] = answer(200, f'{{"access_token": "t", "expires_in": {said}}}'.encode())
    server.answers["/invoices"] = answer(201)
    assert (await call(server, doors)).output["status"] == 201
    assert kept == [seconds]


async def test_an_answer_that_is_a_form_is_read_too(server: HttpServer, doors: Egress) -> None:
    server.answers["/token"] = answer(200, b"access_token=t-1&token_type=bearer&expires_in=3599.5")
    server.answers["/invoices"] = answer(201)
    await call(server, doors)
    assert server.seen[-1].headers["Authorization"] == "Bearer t-1"


async def test_a_token_that_was_ended_before_its_time_is_asked_for_anew_once(server: HttpServer, doors: Egress) -> None:
    given = service(server)
    server.answers["/invoices"] = answer(201)
    await call(server, doors)
    over = given[0]
    server.answers["/invoices"] = lambda it: answer(401 if over in it.headers["Authorization"] else 201)(it)
    outcome = await call(server, doors)
    assert outcome.output["status"] == 201
    assert len(given) == 2
    keys = {seen.headers["Idempotency-Key"] for seen in server.seen if seen.path == "/invoices"}
    assert len(keys) == 1, "it is the same effect"
    server.answers["/invoices"] = answer(401)
    before = len(server.seen)
    with pytest.raises(PermanentError) as refused:
        await call(server, doors)
    assert refused.value.code == "http_401"
    assert [seen.path for seen in server.seen[before:]] == ["/invoices", "/token", "/invoices"]


async def test_neither_secret_nor_token_is_written_down(server: HttpServer, doors: Egress) -> None:
    given = service(server)
    server.answers["/invoices"] = lambda it: answer(
        200, dumps({"echo": it.headers["Authorization"], "bare": given[0]}).encode(), X_Echo=given[0]
    )(it)
    context = StepTestContext(doors=doors)
    outcome = await call(server, doors, context)
    for record in (outcome.request, outcome.response):
        assert given[0] not in dumps(record)
        assert SECRET not in dumps(record)
    assert context.concealed == [given[0]], "the interpreter keeps it out of the result"


@pytest.mark.parametrize(
    ("given", "error", "code", "says"),
    [
        (answer(400, b'{"error": "invalid_client", "error_description": "Unknown client."}'), PermanentError,
         "http_401", "Unknown client."),
        (answer(401, SECRET.encode()), PermanentError, "http_401", "gave no token (status 401)."),
        (answer(404), PermanentError, "no_token", "gave no token (status 404)."),
        (answer(302, b"", Location="http://elsewhere/token"), PermanentError, "no_token", "status 302"),
        (answer(503, b"", Retry_After="7"), RetryableError, "token_not_now", "status 503"),
        (answer(429), RetryableError, "token_not_now", "status 429"),
        (answer(200, b"<html>"), PermanentError, "no_token", "not with a token"),
        (answer(200, b"[]"), PermanentError, "no_token", "not with a token"),
        (answer(200, b'{"access_token": "t", "expires_in": "soon"}'), PermanentError, "no_token", "number of seconds"),
        (answer(200, b'{"access_token": "t", "expires_in": "nan"}'), PermanentError, "no_token", "number of seconds"),
        (answer(200, b'{"access_token": "t", "expires_in": "inf"}'), PermanentError, "no_token", "number of seconds"),
        (answer(200, b'{"access_token": "t", "expires_in": NaN}'), PermanentError, "no_token", "number of seconds"),
        (answer(200, b'{"access_token": "t", "expires_in": 1e999}'), PermanentError, "no_token", "number of seconds"),
        (answer(200, b'{"access_token": "t", "expires_in": true}'), PermanentError, "no_token", "number of seconds"),
        (answer(200, b'{"access_token": "t", "expires_in": [60]}'), PermanentError, "no_token", "number of seconds"),
        (answer(200, b'{"access_token": "t", "expires_in": ""}'), PermanentError, "no_token", "number of seconds"),
        (answer(200, b'{"access_token": "t", "expires_in": "1_000"}'), PermanentError, "no_token", "number of seconds"),
        (answer(200, b'{"access_token": "a\\nb"}'), PermanentError, "no_token", "not with a token"),
        (answer(200, b'{"access_token": null}'), PermanentError, "no_token", "not with a token"),
        (answer(200, b'{"access_token": ""}'), PermanentError, "no_token", "not with a token"),
    ],
)  # fmt: skip
async def test_a_service_that_gives_none_is_told_in_words_and_nothing_is_sent(
    server: HttpServer, doors: Egress, given: Any, error: type[Exception], code: str, says: str
) -> None:
    server.answers["/token"] = given
    with pytest.raises(error) as refused:
        await call(server, doors)
    failure: Any = refused.value
    assert failure.code == code
    assert says in failure.message
    assert SECRET not in failure.message + str(failure.detail)
    assert [seen.path for seen in server.seen] == ["/token"]
    assert not getattr(failure, "maybe_applied", False)


async def test_a_service_that_does_not_answer_leaves_no_doubt_about_the_step(
    server: HttpServer, doors: Egress, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oauth, "_ASKING_SECONDS", 0.3)
    server.answers["/token"] = drip
    with pytest.raises(RetryableError) as refused:
        await call(server, doors)
    assert refused.value.code == "timeout"
    assert not refused.value.maybe_applied, "what the step does was not begun"


async def test_testing_it_asks_for_a_new_token_and_reads_the_address(server: HttpServer, doors: Egress) -> None:
    given = service(server)
    assert await KIND.test(fields(server), doors) == f"{HOST} gave a token."
    server.answers["/me"] = answer(200)
    said = await KIND.test(fields(server, base_url=server.url("/me")), doors)
    assert said == f"{HOST} gave a token. {HOST} accepted the credentials (status 200)."
    assert len(given) == 2


def test_its_secret_may_be_sent_to_the_token_service_and_the_token_to_its_hosts() -> None:
    told = {"token_url": "https://login.example.com/oauth2/token", "client_id": "a", "client_secret": "b"}
    assert [problem[:2] for problem in KIND.problems(told)] == [("allowed_hosts", "required")]
    good = {**told, "allowed_hosts": ["api.example.com"]}
    assert KIND.problems(good) == []
    assert KIND.leads_to(good) == {"api.example.com", "https://login.example.com"}
    assert KIND.leads_to({**good, "token_url": "https://evil.example/"}) != KIND.leads_to(good)
    assert [problem[:2] for problem in KIND.problems({**good, "token_url": "login"})] == [("token_url", "address")]
    assert KIND.secret_fields == ("client_secret",)


async def test_a_token_that_does_not_come_within_the_steps_time_leaves_no_doubt_about_it(
    server: HttpServer, doors: Egress
) -> None:
    """Whoever is stopped from outside knows nothing of what was sent: of a payment people would be asked."""
    server.answers["/token"] = drip

    async def one() -> RetryableError:
        with pytest.raises(RetryableError) as refused:
            async with asyncio.timeout(3):
                await call(server, doors, StepTestContext(doors=doors, timeout_seconds=0.5))
        return refused.value

    # The second waits for the first one's question.
    for failure in await asyncio.gather(one(), one()):
        assert failure.code in ("timeout", "token_not_now")
        assert not failure.maybe_applied, "nothing was sent"
        assert SECRET not in failure.message
    assert not [seen for seen in server.seen if seen.path == "/invoices"]


async def test_what_was_done_and_led_elsewhere_is_not_done_again_for_a_new_token(
    server: HttpServer, doors: Egress
) -> None:
    """303: it was done, and what came of it stands there. That the other address wants a sign-in changes nothing."""
    service(server)
    server.answers["/invoices"] = answer(303, b"", Location=server.url("/invoices/1"))
    server.answers["/invoices/1"] = answer(401)
    with pytest.raises(PermanentError) as refused:
        await call(server, doors)
    assert len([seen for seen in server.seen if seen.path == "/invoices"]) == 1
    assert refused.value.maybe_applied, "nor by whoever repairs the connection: somebody is asked"


async def test_a_list_is_read_with_a_new_token_where_the_old_one_was_ended(server: HttpServer, doors: Egress) -> None:
    given = service(server)
    server.answers["/list"] = lambda it: answer(
        401 if over and it.headers["Authorization"].endswith(given[0]) else 200, b"[1]"
    )(it)
    pages = HttpPages(server.url("/list"), "c", (), (), "", "page")
    context = StepTestContext(doors=doors, connections={"c": KnownConnection("http_oauth", fields(server))})
    over = False
    assert (await pages.read_page(None, context)).items == (1,)
    over = True
    assert (await pages.read_page(None, context)).items == (1,)
    assert len(given) == 2


async def test_steps_that_are_refused_together_ask_for_one_new_token(server: HttpServer, doors: Egress) -> None:
    """Some services end the token before with each that they give: nobody may throw away the one just given."""
    given = service(server)
    server.answers["/invoices"] = answer(201)
    await call(server, doors)
    late = iter((0.0, 0.1, 0.3, 0.5))

    def refuse_the_first(handler: BaseHTTPRequestHandler) -> None:
        over = handler.headers["Authorization"].endswith(given[0])
        time.sleep(next(late) if over else 0)
        answer(401 if over else 201)(handler)

    server.answers["/invoices"] = refuse_the_first
    outcomes = await asyncio.gather(*(call(server, doors) for _ in range(4)))
    assert {outcome.output["status"] for outcome in outcomes} == {201}
    assert len(given) == 2


async def test_what_the_service_repeats_of_the_sign_in_is_masked(server: HttpServer, doors: Egress) -> None:
    server.answers["/token"] = lambda it: answer(
        400, dumps({"error": "bad", "error_description": it.headers["Authorization"]}).encode()
    )(it)
    with pytest.raises(PermanentError) as refused:
        await call(server, doors)
    assert "Basic •••" in refused.value.message
