from __future__ import annotations

from decimal import Decimal

import pytest

from runtime.sdk import PermanentError
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
