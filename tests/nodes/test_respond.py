# ruff: noqa: E501 (tables of cases are read row by row)
from __future__ import annotations

from decimal import Decimal

import pytest

from runtime.catalog import CATALOG
from runtime.engine.jsonprofile import dumps
from runtime.intake.answers import of_workflow
from runtime.sdk import PermanentError
from runtime.sdk.headers import reaches_sender
from runtime.store.reads import ResponseRow
from tests.nodes.steps import step


async def test_an_answer_is_sandboxed_and_cannot_set_cookies() -> None:
    outcome = await step("flow.respond@1", {"status": 200, "body_type": "html", "text_body": "<script>1</script>"})
    assert outcome.respond.headers["Content-Security-Policy"] == "sandbox"
    for name, value in (
        ("Set-Cookie", "a=1"),
        ("X-A", "1\r\nSet-Cookie: a=1"),
        ("Transfer-Encoding", "chunked"),
        ("a b", "1"),
    ):
        with pytest.raises(PermanentError):
            await step("flow.respond@1", {"headers": [{"name": name, "value": value}]})
    for status in (99, 101, 600):
        with pytest.raises(PermanentError):
            await step("flow.respond@1", {"status": status})


async def test_an_answer_carries_exact_data() -> None:
    outcome = await step(
        "flow.respond@1", {"json_body": {"total": "{{ trigger.t }}"}}, {"trigger": {"t": Decimal("1.50")}}
    )
    assert (outcome.respond.status, outcome.respond.body) == (200, '{"total":1.50}')


@pytest.mark.parametrize(
    ("name", "fits"),
    [
        ("X-Order", True), ("Location", True), ("Retry-After", True), ("content-type", True), ("ETag", True),
        ("Cache-Control", False), ("WWW-Authenticate", False), ("X-Frame-Options", False), ("Set-Cookie", False), ("Vary", False),
    ],
)  # fmt: skip
def test_a_header_that_would_not_reach_the_sender_cannot_be_published(name: str, fits: bool) -> None:
    node = CATALOG.get("flow.respond@1")
    assert node is not None
    found = node.problems({"headers": [{"name": name, "value": "x"}]})
    assert [path for path, _code, _message in found] == ([] if fits else ["headers[0].name"])
    assert reaches_sender(name) is fits
    row = ResponseRow(status=200, headers=dumps([[name, "/x"]]), body=b"")
    kept = {header.decode() for header, value in of_workflow(row).headers if value == b"/x"}
    assert kept == ({name.lower()} if fits else set())
