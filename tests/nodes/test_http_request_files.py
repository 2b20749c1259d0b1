from __future__ import annotations

import email
import email.policy
import gzip
import hashlib
from typing import Any

import pytest

from runtime.catalog import CATALOG
from runtime.sdk import PermanentError, Result
from runtime.sdk.files import FileValue
from runtime.sdk.http_files import name_of
from runtime.sdk.testing import StepTestContext, run_step
from runtime.worker.egress import Egress
from tests.nodes.servers import HttpServer, answer, endless

NODE = CATALOG.get("http.request@1")
assert NODE is not None


async def call(doors: Egress, config: dict[str, Any], context: StepTestContext | None = None, **data: Any) -> Result:
    assert NODE is not None
    context = context or StepTestContext()
    context.doors = doors
    outcome = await run_step(NODE, config, data={"trigger": data}, context=context)
    assert isinstance(outcome, Result)
    return outcome


async def a_file(context: StepTestContext, data: bytes, name: str = "Auszug “Mai”.pdf") -> dict[str, Any]:
    value: FileValue = await context.files.save(name, "application/pdf", [data])
    return dict(value.as_json())


async def test_a_file_is_the_body_and_keeps_its_type(server: HttpServer, doors: Egress) -> None:
    server.answers["/up"] = answer(201)
    context = StepTestContext()
    file = await a_file(context, b"%PDF-\x00\xff" * 1000)
    config = {"method": "PUT", "url": server.url("/up"), "body_type": "file", "file": "{{ trigger.file }}"}
    result = await call(doors, config, context, file=file)
    own = [{"name": "content-type", "value": "application/x-own"}]
    await call(doors, {**config, "headers": own}, context, file=file)
    first, second = server.seen
    assert first.body == second.body == b"%PDF-\x00\xff" * 1000
    assert (first.headers["Content-Type"], first.headers["Content-Length"]) == ("application/pdf", str(len(first.body)))
    assert second.headers["content-type"] == "application/x-own"
    assert first.headers["Idempotency-Key"] == "OJXGK3LFNZXW4"
    assert isinstance(result.request, dict)
    assert result.request["body"] == f"(the file {file['name']}, 6.8 KiB, SHA-256 {file['sha256']})"


async def test_a_form_with_files_is_the_same_on_every_try(server: HttpServer, doors: Egress) -> None:
    server.answers["/up"] = answer(201)
    context = StepTestContext()
    one, two = await a_file(context, b"\r\n--x--\r\n" * 99, 'a"b.pdf'), await a_file(context, b"", "zwei ü.pdf")
    form = [
        {"name": 'na"me', "value": "Müller & Co"},
        {"name": "file", "value": "{{ trigger.one }}"},
        {"name": "all", "value": "{{ trigger.all }}"},
    ]
    config = {"method": "POST", "url": server.url("/up"), "body_type": "multipart", "form": form}
    for _ in range(2):
        await call(doors, config, context, one=one, all=[one, two])
    first, second = server.seen
    assert first.body == second.body
    assert int(first.headers["Content-Length"]) == len(first.body)
    head = f"Content-Type: {first.headers['Content-Type']}\r\n\r\n".encode()
    parts: Any = email.message_from_bytes(head + first.body, policy=email.policy.HTTP)
    found = [
        (part.get_param("name", header="content-disposition"), part.get_filename(), part.get_payload(decode=True))
        for part in parts.iter_parts()
    ]
    assert found == [
        ("na%22me", None, "Müller & Co".encode()),
        ("file", "a_b.pdf", b"\r\n--x--\r\n" * 99),
        ("all", "a_b.pdf", b"\r\n--x--\r\n" * 99),
        ("all", "zwei ü.pdf", b""),
    ]


async def test_what_is_no_file_or_has_other_bytes_is_not_sent(server: HttpServer, doors: Egress) -> None:
    context = StepTestContext()
    file = await a_file(context, b"x")
    config = {"method": "POST", "url": server.url("/up"), "body_type": "file", "file": "{{ trigger.file }}"}
    for wrong in ("a.pdf", {"id": file["id"]}, {**file, "sha256": "0" * 64}, [file]):
        with pytest.raises(PermanentError) as refused:
            await call(doors, config, context, file=wrong)
        assert refused.value.code == "not_a_file"
        assert not refused.value.maybe_applied
    assert server.seen == []


async def test_a_redirect_gets_the_whole_file_again(server: HttpServer, doors: Egress) -> None:
    server.answers["/old"] = answer(307, Location="/new")
    server.answers["/new"] = answer(200, b"{}")
    context = StepTestContext()
    file = await a_file(context, b"abc" * 100_000)
    await call(
        doors, {"method": "PUT", "url": server.url("/old"), "body_type": "file", "file": "{{ trigger.file }}"},
        context, file=file,
    )  # fmt: skip
    assert [seen.body == b"abc" * 100_000 for seen in server.seen] == [True, True]


async def test_an_answer_is_kept_as_a_file(server: HttpServer, doors: Egress) -> None:
    data = bytes(range(256)) * 2000
    server.answers["/report"] = answer(
        200, data, "application/pdf; x=y", Content_Disposition='attachment; filename="../../May 2026.pdf"'
    )
    context = StepTestContext()
    result = await call(doors, {"url": server.url("/report?x=1"), "response": "file"}, context)
    output: Any = result.output
    assert output["file"] == {
        "id": output["file"]["id"], "name": "May 2026.pdf", "mime": "application/pdf", "size": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
    }  # fmt: skip
    assert output["body"] is None
    assert data in context.files.kept.values()
    named = await call(doors, {"url": server.url("/report"), "response": "file", "file_name": "a/{{ 'b' }}.pdf"})
    assert named.output["file"]["name"] == "a_b.pdf"  # type: ignore[index,call-overload]


async def test_a_packed_answer_is_kept_unpacked_and_an_error_is_no_file(server: HttpServer, doors: Egress) -> None:
    data = b"a line\n" * 500_000
    server.answers["/packed"] = answer(200, gzip.compress(data), "text/csv", Content_Encoding="gzip")
    server.answers["/bad"] = answer(404, b'{"message": "No such report"}', Content_Disposition="filename=x.pdf")
    context = StepTestContext()
    result = await call(doors, {"url": server.url("/packed"), "response": "file"}, context)
    assert (result.output["file"]["size"], result.output["file"]["name"]) == (len(data), "packed.csv")  # type: ignore[index,call-overload]
    with pytest.raises(PermanentError, match="No such report"):
        await call(doors, {"url": server.url("/bad"), "response": "file"}, context)
    assert len(context.files.kept) == 2


async def test_an_answer_that_never_ends_is_not_kept(server: HttpServer, doors: Egress) -> None:
    server.answers["/endless"] = endless
    context = StepTestContext()
    context.files.most = 3_000_000
    with pytest.raises(PermanentError) as refused:
        await call(doors, {"method": "POST", "url": server.url("/endless"), "response": "file"}, context)
    assert refused.value.code == "file_too_large"
    assert refused.value.maybe_applied  # what was asked for was done, whatever its answer


def test_a_kept_answer_cannot_be_looked_up() -> None:
    assert NODE is not None
    config = {
        "method": "POST", "url": "https://erp.example.com/i", "response": "file", "in_doubt": "look_up",
        "look_up_url": "https://erp.example.com/i?key={{ look_up.key }}",
    }  # fmt: skip
    assert [problem[:2] for problem in NODE.problems(config)] == [("in_doubt", "look_up_file")]


@pytest.mark.parametrize(
    ("disposition", "url", "mime", "name"),
    [
        ('attachment; filename="a.pdf"', "https://x.example/b.pdf", "", "a.pdf"),
        ("attachment; filename*=UTF-8''Auszug%20%C3%BC.pdf; filename=x.pdf", "https://x.example/", "", "Auszug ü.pdf"),
        ('attachment; filename="Ã¼.pdf"', "https://x.example/", "", "ü.pdf"),
        ('attachment; filename="C:\\\\Users\\\\ann\\\\a.pdf"', "https://x.example/", "", "a.pdf"),
        ('attachment; filename="../../etc/passwd"', "https://x.example/", "", "passwd"),
        ('attachment; filename="/"', "https://x.example/", "application/pdf", "answer.pdf"),
        ('attachment; filename=".."', "https://x.example/", "application/pdf", "answer.pdf"),
        ("attachment", "https://x.example/a/b%20c.csv?d=e", "", "b c.csv"),
        ("", "https://x.example/a/..%2f..%2fpasswd", "", "passwd"),
        ("nonsense; filename*=x'y", "https://x.example/", "text/csv", "x'y.csv"),
        ("attachment; filename*=no-such'en'a%20b.pdf", "https://x.example/c.pdf", "", "c.pdf"),
        ("", "https://x.example/report", "application/pdf", "report.pdf"),
    ],
)
def test_the_name_of_an_answer_is_fit_for_every_system(disposition: str, url: str, mime: str, name: str) -> None:
    """S86: whatever the other system says."""
    assert name_of({"content-disposition": disposition}, url, mime) == name
