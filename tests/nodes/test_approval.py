from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from runtime.catalog import CATALOG
from runtime.sdk import PermanentError, Wait
from runtime.sdk.testing import NOW_MS, StepTestContext, run_step
from runtime.worker.mail_words import body

GROUPS = {"Finance": ("ines@example.com", "omar@example.com"), "Empty": (), "role:admin": ("ada@example.com",)}
HOUR = 3_600_000


async def asked(config: dict[str, Any], data: dict[str, Any] | None = None, **context: Any) -> Wait:
    node = CATALOG.get("people.approval@1")
    assert node is not None
    made = StepTestContext(**{"groups": GROUPS, **context})
    outcome = await run_step(node, {"title": "Pay?", **config}, data=data or {}, context=made)
    assert isinstance(outcome, Wait)
    assert outcome.task is not None
    return outcome


async def test_the_question_says_what_there_is_to_decide_by() -> None:
    outcome = await asked(
        {
            "title": "Pay {{ trigger.number }}?",
            "facts": [{"name": "Order", "value": "{{ trigger.order }}"}],
            "amount": "{{ trigger.total }}",
            "currency": "EUR",
        },
        {"trigger": {"number": "R-1", "order": "PO-7", "total": Decimal("12.50")}},
    )
    task = outcome.task
    assert task is not None
    assert (task.title, task.amount, task.currency) == ("Pay R-1?", "12.50", "EUR")
    assert task.facts == (("Order", "PO-7"),)
    assert outcome.due_at_ms is None
    assert outcome.ports == ("late",)


FILE = {
    "id": "01890a5d-ac96-774b-bcce-b302099a8057", "name": "May.pdf", "mime": "application/pdf", "size": 7,
    "sha256": "ab" * 32,
}  # fmt: skip


async def test_files_among_the_facts_stay_files_and_all_else_is_text() -> None:
    names = ("one", "several", "mixed", "other", "nothing")
    data = {"one": FILE, "several": [FILE, FILE], "mixed": [FILE, "x"], "other": {"name": "May.pdf"}, "nothing": None}
    facts = [{"name": name, "value": f"{{{{ trigger.{name} }}}}"} for name in names]
    task = (await asked({"facts": facts}, {"trigger": data})).task
    assert task is not None
    found = dict(task.facts)
    assert (found["one"], found["several"]) == (FILE, [FILE, FILE])
    assert (found["other"], found["nothing"]) == ('{"name":"May.pdf"}', "")
    assert isinstance(found["mixed"], str)


async def test_the_text_of_a_fact_has_its_bounds() -> None:
    with pytest.raises(PermanentError, match="5,000 characters"):
        await asked({"facts": [{"name": "Order", "value": "{{ trigger.order }}"}]}, {"trigger": {"order": "x" * 5001}})


def test_a_mail_and_the_page_of_its_link_name_the_files() -> None:
    spec = {"facts": [{"label": "Invoice", "value": FILE}, {"label": "Both", "value": [FILE, FILE]}]}
    text = body(
        title="Pay?", spec=spec, due_at=None, ends_at=None, link="https://x", language="en", time_zone="Europe/Berlin"
    )
    assert "Invoice: May.pdf\nBoth: May.pdf, May.pdf\n" in text


@pytest.mark.parametrize(
    ("config", "needs"),
    [
        ({}, 1),
        ({"rule": "number", "number": 3}, 3),
        ({"rule": "all", "people": "a@example.com; B@example.com,a@example.com"}, 2),
    ],
)
async def test_it_knows_how_many_have_to_approve(config: dict[str, Any], needs: int) -> None:
    outcome = await asked(config)
    assert outcome.task is not None
    assert outcome.task.needs == needs


async def test_people_are_named_once_and_in_small_letters() -> None:
    outcome = await asked({"people": "Ines@Example.com, omar@example.com, ines@example.com"})
    assert outcome.task is not None
    assert outcome.task.people == ("ines@example.com", "omar@example.com")


@pytest.mark.parametrize(
    "config",
    [
        {"rule": "all"},
        {"rule": "number", "number": 3, "people": "a@example.com"},
        {"people": "somebody"},
        {"people": "a b@example.com"},
        {"people": "Empty"},
        {"people": "Finance", "rule": "number", "number": 3},
        {"people": "Finance", "not_requester": True},
        {"not_requester": True, "requester": "Finance"},
        {"due": 2000, "due_unit": "working_days"},
        {"due": 1, "due_unit": "working_days", "country": "XX"},
        {"due": 1, "due_unit": "working_days", "timezone": "Mars/Base"},
        {"limit": 9999, "unit": "weeks"},
    ],
)
async def test_a_question_that_cannot_be_asked_fails_in_words(config: dict[str, Any]) -> None:
    with pytest.raises(PermanentError):
        await asked(config, groups=GROUPS)


async def test_it_is_too_late_when_the_time_is_over() -> None:
    outcome = await asked({"limit": "1.5", "unit": "hours"})
    assert outcome.due_at_ms == NOW_MS + 5_400_000


@pytest.mark.parametrize(
    ("rule", "needed"), [("never", (False, False)), ("reject", (False, True)), ("always", (True, True))]
)
async def test_a_comment_is_asked_for_where_it_is_wanted(rule: str, needed: tuple[bool, bool]) -> None:
    outcome = await asked({"comment": rule})
    assert outcome.task is not None
    assert tuple(choice.comment for choice in outcome.task.choices) == needed


async def test_groups_and_roles_are_asked_by_name_and_each_of_them_counts_once() -> None:
    task = (await asked({"people": "Finance, ines@example.com; role:admin", "rule": "all"})).task
    assert task is not None
    assert task.people == ("group:finance", "ines@example.com", "role:admin")
    assert (task.needs, task.everyone) == (3, True)


async def test_whoever_asks_for_it_does_not_count_among_those_who_decide() -> None:
    config = {"people": "Finance", "rule": "all", "not_requester": True, "requester": "{{ trigger.by }}"}
    task = (await asked(config, {"trigger": {"by": "Omar@example.com"}}, starter="user:0197f2c0")).task
    assert task is not None
    assert (task.barred, task.needs) == (("omar@example.com", "user:0197f2c0"), 1)


async def test_it_is_due_before_it_is_too_late() -> None:
    outcome = await asked({"due": 4, "due_unit": "hours", "limit": 1, "unit": "days"})
    assert outcome.task is not None
    assert (outcome.task.due_at_ms, outcome.due_at_ms) == (NOW_MS + 4 * HOUR, NOW_MS + 24 * HOUR)
    late = await asked({"due": 4, "due_unit": "days", "limit": 1, "unit": "days"})
    assert late.task is not None
    assert late.task.due_at_ms == late.due_at_ms == NOW_MS + 24 * HOUR


@pytest.mark.parametrize(
    ("days", "country", "hours"),
    # 20 November 2026 is a Friday; Christmas and the day after, a Friday and a Saturday, are holidays in Germany.
    [(1, "", 72), (2, "", 96), (25, "", 35 * 24), (25, "DE", 38 * 24)],
)
async def test_working_days_leave_out_weekends_and_the_holidays_of_a_country(
    days: int, country: str, hours: int
) -> None:
    config = {"due": days, "due_unit": "working_days", "country": country, "timezone": "Europe/Berlin"}
    outcome = await asked(config)
    assert outcome.task is not None
    assert outcome.task.due_at_ms == NOW_MS + hours * HOUR


async def test_reminders_and_escalation_are_times_before_the_end() -> None:
    config = {"due": 10, "due_unit": "hours", "remind_before": 2, "remind_every": 4, "escalate_to": "role:admin",
              "limit": 12, "unit": "hours"}  # fmt: skip
    outcome = await asked(config)
    assert outcome.task is not None
    found = [((one.at - NOW_MS) / HOUR, one.kind) for one in outcome.task.notices]
    assert found == [(0, "ask"), (4, "remind"), (8, "remind"), (10, "escalate")]
    assert outcome.task.escalate == ("role:admin",)


async def test_reminders_end_though_nobody_ever_answers() -> None:
    outcome = await asked({"remind_every": 1})
    assert outcome.task is not None
    assert len(outcome.task.notices) == 60


def test_what_cannot_have_an_effect_is_advised_against() -> None:
    node = CATALOG.get("people.approval@1")
    assert node is not None
    assert node.extra_warnings is not None
    warned = {field for field, _, _ in node.extra_warnings({"remind_before": 1, "escalate_to": "x"})}
    assert warned == {"mail", "remind_before", "escalate_to"}
    assert node.extra_warnings({"due": 1, "remind_before": 1, "escalate_to": "x", "mail": "c"}) == []
