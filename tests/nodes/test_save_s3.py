from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from typing import Any

import pytest

from runtime.catalog import CATALOG
from runtime.sdk import PermanentError, Result
from runtime.sdk.connections import KINDS
from runtime.sdk.context import HttpAnswer
from runtime.sdk.probes import DidNotHappen, Happened, working_out
from runtime.sdk.s3 import EMPTY, refusal, signature
from runtime.sdk.testing import KnownConnection, StepTestContext, run_step
from runtime.worker.egress import Egress
from tests.services import MissingService, skip_or_fail
from tests.services.rclone_server import PASSWORD, USER, FileServer, s3_server

FOUND = CATALOG.get("files.save_s3@1")
assert FOUND is not None
NODE = FOUND
HOST = "storage.example.com"
BUCKET = "exchange"
DATA = bytes(range(256)) * 4000


@pytest.fixture(scope="module")
def server() -> Iterator[FileServer]:
    try:
        with s3_server(BUCKET) as found:
            yield found
    except MissingService as missing:
        skip_or_fail(str(missing))


class Place:
    """A folder of the bucket, and steps that save into it."""

    def __init__(self, server: FileServer, folder: str) -> None:
        self.folder = folder
        self.root = server.root / BUCKET / folder
        self.doors = Egress.make(named={HOST: ("127.0.0.1", server.port)})

    def fields(self, **changes: Any) -> dict[str, Any]:
        return {
            "endpoint": f"http://{HOST}", "bucket": BUCKET, "access_key": USER, "secret_key": PASSWORD,
            "folder": self.folder, **changes,
        }  # fmt: skip

    def context(self, key: str = "KEY1", **changes: Any) -> StepTestContext:
        connection = KnownConnection("s3", self.fields(**changes))
        return StepTestContext(
            doors=self.doors, connections={"c": connection}, idempotency_key=key, now_ms=int(time.time() * 1000)
        )

    async def _given(self, data: bytes, context: StepTestContext, config: dict[str, Any]) -> tuple[Any, Any]:
        file = await context.files.save("a.pdf", "application/pdf", [data])
        return {"connection": "c", "file": "{{ trigger.file }}", **config}, {"trigger": {"file": file.as_json()}}

    async def save(self, data: bytes = DATA, context: StepTestContext | None = None, **config: Any) -> Any:
        context = context or self.context()
        given, known = await self._given(data, context, config)
        outcome = await run_step(NODE, given, data=known, context=context)
        assert isinstance(outcome, Result)
        return outcome.output

    async def look(self, data: bytes = DATA, context: StepTestContext | None = None, **config: Any) -> Any:
        assert NODE.probe is not None
        context = context or self.context()
        given, known = await self._given(data, context, config)
        return await NODE.probe.look(NODE.prepare(given).resolve(known), None, context, working_out({}, "KEY1"))

    def there(self) -> dict[str, bytes]:
        return {str(path.relative_to(self.root)): path.read_bytes() for path in self.root.rglob("*") if path.is_file()}


@pytest.fixture
async def place(server: FileServer, request: pytest.FixtureRequest) -> Any:
    found = Place(server, f"t{abs(hash(request.node.name))}")
    yield found
    await found.doors.aclose()


@pytest.mark.parametrize("name", ["payments.csv", "Rechnung ü & (1)+=~'!,;@$.pdf", "100%.txt", "a b.c", "日本.pdf"])
async def test_an_object_arrives_under_its_name(place: Place, name: str) -> None:
    output = await place.save(folder="in/2026", name=name)
    assert output == {
        "path": f"in/2026/{name}", "name": name, "size": len(DATA), "sha256": hashlib.sha256(DATA).hexdigest(),
    }  # fmt: skip
    assert place.there() == {f"in/2026/{name}": DATA}


async def test_what_is_there_already_decides(place: Place) -> None:
    await place.save(b"one")
    with pytest.raises(PermanentError) as refused:
        await place.save(b"two")
    assert (refused.value.code, refused.value.maybe_applied) == ("file_exists", False)
    assert (await place.save(b"two", exists="number"))["path"] == "a (2).pdf"
    assert (await place.save(b"", exists="number"))["path"] == "a (3).pdf"
    assert (await place.save(b"four", exists="overwrite"))["path"] == "a.pdf"
    assert place.there() == {"a.pdf": b"four", "a (2).pdf": b"two", "a (3).pdf": b""}


async def test_after_an_interruption_the_mark_tells_whether_it_happened(place: Place) -> None:
    assert isinstance(await place.look(), DidNotHappen)
    await place.save()
    assert isinstance(await place.look(), Happened)
    # The same bytes, written by another step.
    assert isinstance(await place.look(context=place.context("KEY2")), DidNotHappen)
    await place.save(context=place.context("KEY2"), exists="number")
    second = await place.look(context=place.context("KEY2"), exists="number")
    assert second.result.output["path"] == "a (2).pdf"


@pytest.mark.parametrize("folder", ["..", "a/../..", "/a", "a//b", "a\\b"])
async def test_no_path_leads_out_of_the_folder(place: Place, folder: str) -> None:
    """S86."""
    with pytest.raises(PermanentError) as refused:
        await place.save(folder=folder)
    assert refused.value.code == "path"


async def test_the_connection_test_asks_and_changes_nothing(place: Place) -> None:
    kind = KINDS["s3"]
    assert "took the key" in await kind.test(place.fields(), place.doors)
    for changes, code in (
        ({"secret_key": "wrong"}, "http_403"),
        ({"access_key": "nobody"}, "http_403"),
        ({"bucket": "no-such"}, "http_404"),
    ):
        with pytest.raises(PermanentError) as refused:
            await kind.test(place.fields(**changes), place.doors)
        assert refused.value.code == code, refused.value.message
        assert "wrong" not in refused.value.message.replace("is wrong", "")


def test_a_connection_names_a_host_and_leads_there_only() -> None:
    kind = KINDS["s3"]
    fields = {"bucket": "exchange", "access_key": "a", "secret_key": "b", "endpoint": "https://s3.example.com:9000/"}
    assert kind.problems(fields) == []
    assert kind.leads_to(fields) == {"https://s3.example.com:9000"}
    for endpoint in ("s3.example.com", "https://s3.example.com/exchange", "ftp://s3.example.com"):
        assert kind.problems({**fields, "endpoint": endpoint})[0][:2] == ("endpoint", "address"), endpoint
    assert kind.problems({**fields, "bucket": "../x"})[0][0] == "bucket"


def test_the_signature_is_the_one_that_aws_publishes() -> None:
    """The examples of “Authenticating Requests (AWS Signature Version 4)”, Amazon S3 API Reference."""
    keys: dict[str, Any] = {
        "region": "us-east-1", "access_key": "AKIAIOSFODNN7EXAMPLE",
        "secret_key": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    }  # fmt: skip
    host = ("host", "examplebucket.s3.amazonaws.com")
    date = ("x-amz-date", "20130524T000000Z")
    body = hashlib.sha256(b"Welcome to Amazon S3.").hexdigest()

    def last(**request: Any) -> str:
        return signature(**request, **keys).rpartition("Signature=")[2]

    get = last(
        method="GET", path="/test.txt", query=[], sha256=EMPTY,
        headers=[host, ("Range", "bytes=0-9"), ("x-amz-content-sha256", EMPTY), date],
    )  # fmt: skip
    assert get == "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
    put = last(
        method="PUT", path="/test%24file.text", query=[], sha256=body,
        headers=[
            ("Date", "Fri, 24 May 2013 00:00:00 GMT"), host, date, ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
            ("x-amz-content-sha256", body),
        ],
    )  # fmt: skip
    assert put == "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"
    listed = last(
        method="GET", path="/", query=[("max-keys", "2"), ("prefix", "J")], sha256=EMPTY,
        headers=[host, ("x-amz-content-sha256", EMPTY), date],
    )  # fmt: skip
    assert listed == "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"


@pytest.mark.parametrize(
    ("status", "body", "says", "again"),
    [
        (403, "<Error><Code>SignatureDoesNotMatch</Code><Message>x</Message></Error>", "secret key is another", False),
        (404, "<Error><Code>NoSuchBucket</Code></Error>", "has no bucket of this name", False),
        (404, "", "no such bucket or object", False),
        (400, "<Error><Code>EntityTooLarge</Code><Message>Too large.</Message></Error>", "“Too large.”", False),
        (503, "<Error><Code>SlowDown</Code></Error>", "status 503 (SlowDown)", True),
        (403, "", "does not allow", False),
        (500, "", "answered with status 500.", True),
    ],
)
def test_a_refusal_is_said_in_plain_words(status: int, body: str, says: str, again: bool) -> None:
    failure = refusal(HOST, HttpAnswer(status, {}, body.encode(), 1, ""), body, writes=True)
    assert says in failure.message
    assert failure.maybe_applied is again
