"""The checker itself: a good trial passes it, and each of its rules finds what it is there for."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from runtime.engine.state import StepKey
from runtime.engine.trail import Entry, Rebuilt, Stood
from tests.faults import check as checker
from tests.faults.check import Crash, Evidence, check
from tests.faults.examples import branching, saga, unrepeatable
from tests.faults.outside import Call
from tests.faults.rows import AttemptRow, EventRow, Export, Glimpse, RunRow, StepRow, Trail
from tests.faults.senders import Answer

EXAMPLE = branching()
NOW = 1_795_237_223_000
WAITED = '{"waited_until":"2026-11-21T05:00:25.000Z"}'
RUN = RunRow("run", "a", "flow", "completed", "done", 0, None, 4, None, None, NOW, NOW + 9_000, None)


def good() -> Evidence:
    """One event, its run, and each effect once; one call was answered anew after a crash."""
    steps = [
        StepRow("run", node["id"], 1, "skipped" if node["id"] in EXAMPLE.skipped else "succeeded",
                EXAMPLE.effects.get(node["id"], 1), 1, 1, None, NOW, NOW + 900, None)
        for node in EXAMPLE.graph["nodes"]
    ]  # fmt: skip
    steps = [
        replace(step, output=WAITED, started_at=NOW + 700, finished_at=NOW + 2_010) if step.node == "pause" else step
        for step in steps
    ]
    steps = [replace(step, output='{"idempotent-replayed":"true"}') if step.node == "last" else step for step in steps]
    attempts = [
        AttemptRow("run", step, 1, 1, "succeeded", "keyed", f"key-{step}", "d", "worker-1-x", NOW, NOW + 900)
        for step in EXAMPLE.effects
    ]
    calls = [
        Call(number, NOW + 100, "/invoices", f"key-{step}", f"body-{step}", f"a/{step}", 201, True)
        for number, step in enumerate(EXAMPLE.effects, 1)
    ]
    calls.append(replace(calls[-1], seq=9, at_ms=NOW + 500, applied=False))
    events = [EventRow("event", "a", "run", 0, NOW)]
    return Evidence({"flow": EXAMPLE}, Export([RUN], steps, attempts, events), calls, {"a"}, {"a"})


#: What is on record of a run of three commits, of which the second only added a step.
SAID = [(node, 1, "succeeded", 1, ["out"], None, number, NOW, None) for number, node in enumerate(("one", "two"), 1)]
RECORD = (
    Entry(1, 1, 1, 1, "accepted", "running", None, {"steps": [SAID[0]]}),
    Entry(2, 3, 1, 1, "running", "completed", "done", {}),
)


def with_trail(*entries: Entry, **changes: Any) -> Evidence:
    """The good trial with such a record of a run that was completed in its third commit."""
    rows = [Stood(one, number, 1) for number, one in enumerate(SAID, 1)]
    stored = Rebuilt("completed", "done", 1, 3, 1, {StepKey(one[0], 1): one for one in SAID})
    return with_rows(trails=[Trail("a", replace(stored, **changes), list(entries), rows)])


def with_rows(**rows: Any) -> Evidence:
    evidence = good()
    return replace(evidence, rows=replace(evidence.rows, **rows))


def with_step(node: str, **changes: Any) -> Evidence:
    return with_rows(steps=[replace(s, **changes) if s.node == node else s for s in good().rows.steps])


def with_call(**changes: Any) -> Evidence:
    """The good trial with one more call of its first effect."""
    evidence = good()
    return replace(evidence, calls=[*evidence.calls, replace(evidence.calls[0], seq=20, **changes)])


def undone(*order: str) -> Evidence:
    """A run of two calls that was undone by these calls, in this order."""
    example = saga()
    wanted = ("first", "second", *order)
    calls = [
        Call(number, NOW + 100, "/invoices", f"key-{step}", f"body-{step}", f"a/{step}", 201, True)
        for number, step in enumerate(wanted, 1)
    ]
    steps = [
        StepRow("run", step, 1, "succeeded", 1, number, number, None, NOW, NOW + 900, None)
        for number, step in enumerate(wanted, 1)
    ]
    attempts = [
        AttemptRow("run", step, 1, 1, "succeeded", "keyed", f"key-{step}", "d", "worker-1-x", NOW, NOW + 900)
        for step in wanted
    ]
    rows = Export([replace(RUN, status="compensated", outcome=None)], steps, attempts, good().rows.events)
    return Evidence({"flow": example}, rows, calls, {"a"}, {"a"})


def without_key(*, calls: int, told: str = "succeeded", again: bool = False) -> Evidence:
    """A run whose one call carries no key, made so often."""
    example = unrepeatable()
    steps = [
        StepRow("run", node["id"], 1, "succeeded", 1, 1, 1, None, NOW, NOW + 900, None)
        for node in example.graph["nodes"]
    ]
    attempt = AttemptRow("run", "once", 1, 1, told, "unsafe", None, "d", "worker-1-x", NOW, NOW + 900)
    made = [
        Call(number, NOW + 100, "/invoices", None, "body", "a/once", 201, number == 1) for number in range(1, calls + 1)
    ]
    wanted = {("run", "once")} if again else set()
    return Evidence({"flow": example}, Export([RUN], steps, [attempt], good().rows.events, wanted), made, {"a"}, {"a"})


BROKEN = {
    "LOST": lambda: replace(good(), acked={"a", "b"}, sent={"a", "b"}),
    "GHOST": lambda: replace(good(), sent=set(), acked=set()),
    "DUPRUN": lambda: with_rows(runs=[RUN, replace(RUN, id="second")]),
    "END": lambda: with_rows(runs=[replace(RUN, status="dead_lettered")]),
    "DUPHON": lambda: with_call(applied=True),
    "MISSING": lambda: replace(good(), calls=good().calls[1:]),
    "REPEAT": lambda: with_call(applied=False, at_ms=NOW + 800),
    "NOINTENT": lambda: with_rows(attempts=good().rows.attempts[1:]),
    "KEYS": lambda: with_call(key="key-right", applied=False),
    "BODYDIFF": lambda: with_call(body_sha256="other", applied=False),
    "UNEXPL": lambda: without_key(calls=2, again=True),
    "HUMANDUP": lambda: without_key(calls=2, told="in_doubt"),
    "RANK": lambda: replace(good(), seen=[Glimpse("run", "dead_lettered", 3)]),
    "TRIES": lambda: with_step("left", attempt=2),
    "OPEN": lambda: with_rows(attempts=[replace(one, status="intent") for one in good().rows.attempts]),
    "ORPHAN": lambda: with_rows(runs=[replace(RUN, status="waiting_timer", finished_at=None)]),
    "TIMER": lambda: with_step("pause", finished_at=NOW + 1_990),
    "REBUILD": lambda: with_trail(*RECORD, outcome="stopped"),
    "ORDER": lambda: undone("undo_first", "undo_second"),
    "AGAIN": lambda: replace(
        with_step("left", seq=7), crash=Crash(good().rows, good().calls)
    ),
    "ANSWER": lambda: replace(good(), wrong=[Answer("a", 500, None, 0.1)]),
}  # fmt: skip


def test_a_good_trial_breaks_no_rule() -> None:
    assert check(with_trail(*RECORD)) == []
    assert check(good()) == []
    assert check(replace(good(), crash=Crash(good().rows, good().calls))) == []
    assert check(undone("undo_second", "undo_first")) == []
    assert check(without_key(calls=1)) == []
    assert {one.rule for one in check(without_key(calls=2, told="in_doubt", again=True))} <= {"REPEAT"}
    ways = [Glimpse("run", status, token) for token, status in enumerate(("accepted", "running", "waiting_timer"))]
    assert check(replace(good(), seen=ways)) == []


@pytest.mark.parametrize("rule", BROKEN)
def test_each_rule_finds_what_it_is_there_for(rule: str) -> None:
    assert rule in {violation.rule for violation in check(BROKEN[rule]())}


@pytest.mark.parametrize(
    ("rule", "evidence"),
    [
        ("LOST", lambda: with_rows(runs=[replace(RUN, status="running", wake_at=NOW)])),
        ("REPEAT", lambda: with_call(applied=False, at_ms=NOW + 9_000)),
        ("RANK", lambda: with_trail(RECORD[1])),
        ("RANK", lambda: with_trail(RECORD[0], RECORD[1], RECORD[1]._replace(number=3, status="running"))),
        ("RANK", lambda: with_trail(RECORD[0], RECORD[1]._replace(token=0))),
        ("REBUILD", lambda: with_trail(RECORD[0])),
        ("REBUILD", lambda: with_trail(*RECORD, seq=9)),
        ("REBUILD", lambda: with_trail(RECORD[0], RECORD[1]._replace(status="cancelled"))),
        ("NOINTENT", lambda: replace(good(), crash=Crash(Export(), good().calls))),
        ("TIMER", lambda: with_step("pause", finished_at=NOW + 8_000)),
        ("TIMER", lambda: with_step("pause", started_at=NOW + 1_500)),
        ("END", lambda: with_step("never", status="succeeded")),
        ("ORDER", lambda: undone("undo_second")),
        ("RANK", lambda: replace(good(), seen=[Glimpse("run", "running", 9)])),
        ("RANK", lambda: replace(good(), seen=[Glimpse("run", "compensating", 3), Glimpse("run", "running", 3)])),
        (
            "AGAIN",
            lambda: replace(with_call(applied=False), crash=Crash(good().rows, good().calls)),
        ),
    ],
)
def test_the_less_obvious_cases_are_found_too(rule: str, evidence: Any) -> None:
    assert rule in {violation.rule for violation in check(evidence())}


def test_every_rule_is_tested() -> None:
    assert checker.__doc__ is not None
    assert set(re.findall(r"^([A-Z]+) ", checker.__doc__, re.MULTILINE)) == set(BROKEN)
