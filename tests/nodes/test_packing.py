from __future__ import annotations

import gzip
import zlib

import pytest

from runtime.engine.jsonprofile import JSONRefused
from runtime.sdk import PermanentError, RetryableError
from runtime.sdk.bodies import unpack
from runtime.sdk.packing import PackingError, Unpacker
from runtime.worker.egress import Egress
from tests.nodes.servers import HttpServer, answer

TEXT = b"id,amount\n" + b"".join(b"%d,%d.00\n" % (number, number * 7) for number in range(3_000))
BARE = zlib.compress(TEXT)[2:-4]


def unpacked(body: bytes, coding: str, piece: int, most: int = 1_000_000) -> bytes:
    reader = Unpacker(coding, most)
    found = b"".join(reader.feed(body[start : start + piece]) for start in range(0, len(body), piece))
    reader.finish()
    return found


@pytest.mark.parametrize("piece", [1, 7, 1_000_000])
@pytest.mark.parametrize(
    ("body", "coding"),
    [
        (TEXT, ""),
        (TEXT, "identity"),
        (gzip.compress(TEXT), "gzip"),
        (gzip.compress(TEXT[:5_000]) + gzip.compress(TEXT[5_000:]), "gzip"),
        (gzip.compress(TEXT[:5_000]) + b"\0" * 30 + gzip.compress(TEXT[5_000:]) + b"\0" * 30, "x-gzip"),
        (gzip.compress(b"") + gzip.compress(TEXT), " GZIP , identity"),
        (zlib.compress(TEXT), "deflate"),
        (BARE, "deflate"),
    ],
)
def test_whatever_the_pieces_everything_comes_out(body: bytes, coding: str, piece: int) -> None:
    assert unpacked(body, coding, piece) == TEXT


@pytest.mark.parametrize("piece", [1, 1_000_000])
@pytest.mark.parametrize(
    ("body", "coding", "code"),
    [
        (gzip.compress(TEXT)[:-200], "gzip", "cut_off"),
        (gzip.compress(TEXT)[:-1], "gzip", "cut_off"),
        (gzip.compress(TEXT)[:1], "gzip", "cut_off"),
        (gzip.compress(TEXT[:50]) + gzip.compress(TEXT)[:-8], "gzip", "cut_off"),
        (zlib.compress(TEXT)[:-1], "deflate", "cut_off"),
        (gzip.compress(TEXT) + b"more", "gzip", "damaged"),
        (zlib.compress(TEXT) + b"more", "deflate", "damaged"),
        (TEXT, "gzip", "damaged"),
        (gzip.compress(TEXT)[:-8] + b"\0" * 8, "gzip", "damaged"),
        (gzip.compress(b"x") * 10_001, "gzip", "damaged"),
        (b"\x0b\x02\x80hello\x03", "br", "unknown"),
        (gzip.compress(gzip.compress(TEXT)), "gzip, gzip", "unknown"),
        (gzip.compress(b"\0" * 2_000_000), "gzip", "too_big"),
        (b"x" * 1_000_001, "", "too_big"),
    ],
)
def test_a_part_of_the_data_is_never_taken_for_the_whole(body: bytes, coding: str, code: str, piece: int) -> None:
    with pytest.raises(PackingError) as error:
        unpacked(body, coding, max(piece, len(body) // 50_000))
    assert error.value.code == code


async def test_an_answer_in_two_parts_is_read_to_its_end(doors: Egress, server: HttpServer) -> None:
    packed = gzip.compress(TEXT[:5_000]) + gzip.compress(TEXT[5_000:])
    server.answers["/x"] = answer(200, packed, "text/csv", Content_Encoding="gzip")
    assert (await doors.http.request("GET", server.url("/x"))).content == TEXT


async def test_a_cut_answer_is_a_failure_that_may_have_been_applied(doors: Egress, server: HttpServer) -> None:
    server.answers["/x"] = answer(200, gzip.compress(TEXT)[:-200], "text/csv", Content_Encoding="gzip")
    with pytest.raises(RetryableError) as error:
        await doors.http.request("POST", server.url("/x"))
    assert (error.value.code, error.value.maybe_applied) == ("cut_off", True)
    assert error.value.message == "The answer of practice-company was cut off on its way."


async def test_an_encoding_that_nobody_asked_for_is_named(doors: Egress, server: HttpServer) -> None:
    server.answers["/x"] = answer(200, b"\x0b\x02\x80hello\x03", "text/plain", Content_Encoding="br")
    with pytest.raises(PermanentError, match="“br”") as error:
        await doors.http.request("GET", server.url("/x"))
    assert error.value.code == "encoding"


async def test_an_answer_without_a_body_needs_no_unpacking(doors: Egress, server: HttpServer) -> None:
    server.answers["/x"] = answer(200, b"", Content_Encoding="gzip")
    assert (await doors.http.request("GET", server.url("/x"))).content == b""


async def test_the_head_of_a_large_file_is_not_a_large_answer(doors: Egress, server: HttpServer) -> None:
    server.answers["/x"] = answer(200, b"x" * 2_000, Content_Encoding="br")
    found = await doors.http.request("HEAD", server.url("/x"), max_bytes=1_000)
    assert (found.status, found.headers["content-length"], found.content) == (200, "2000", b"")


def test_a_delivery_in_two_parts_is_read_to_its_end() -> None:
    assert unpack(gzip.compress(b"[1,") + gzip.compress(b"2]"), "gzip") == b"[1,2]"
    with pytest.raises(JSONRefused, match="damaged"):
        unpack(gzip.compress(b"[1]") + b"x=1", "gzip")
