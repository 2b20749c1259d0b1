"""A token is no call of the system that a budget protects: it takes no turn away, and waits for none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from runtime.ports import PORTS
from runtime.sdk import oauth
from runtime.store.models import BudgetTurn
from tests.runtime.budgeting import URL, Key, Target, call, key, limit, target
from tests.runtime.machine import Machine, flow
from tests.runtime.test_asked_now import ask
from tests.runtime.test_look_ups import looked_up

__all__ = ["key", "target"]

SIGNED = Key(
    kind="http_oauth",
    fields={
        "token_url": f"{URL}/token", "client_id": "mill", "client_secret": "s3cret-of-mill",
        "allowed_hosts": ["practice-company"],
    },
    secrets=("s3cret-of-mill",),
)  # fmt: skip


@pytest.fixture(autouse=True)
def signs_in_by_token(key: UUID, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    class Vault:
        def open(self, *, workspace_id: UUID, connection_id: UUID) -> Any:
            return SIGNED

    monkeypatch.setattr(PORTS, "vault", Vault())
    oauth._KEPT.clear()
    yield
    oauth._KEPT.clear()


def test_the_call_goes_in_the_turn_that_its_step_had(machine: Machine, target: Target, key: UUID) -> None:
    limit(key, 1, "hour", machines=(machine,))
    run = machine.run(flow("start -> ask", call("ask", key)))
    assert run.status == "completed", "it does not wait for an hour with a token that is good for minutes"
    assert (len(target.calls("/token")), len(target.arrived)) == (1, 2)


def test_a_look_up_that_signs_in_anew_has_a_turn_for_each_call_and_keeps_none(
    machine: Machine, target: Target, key: UUID
) -> None:
    pay = looked_up("pay", f"{URL}/pay", f"{URL}/look", retry={"attempts": 1})
    pay["config"]["connection"] = str(key)
    target.refuse = 1
    target.refuses = "/pay"
    run = machine.run(flow("start -> pay", pay))
    assert run.status == "dead_lettered"
    limit(key, at_once=1, machines=(machine,))
    target.ended, target.refuse = 1, 0
    told = ask(run.id)
    assert told.found in ("happened", "did_not_happen"), told
    assert len(target.calls("/look")) == 2, "once with the token that was ended, and once with a new one"
    assert not BudgetTurn.objects.exists()


def test_a_call_that_is_made_anew_with_a_new_token_counts(machine: Machine, target: Target, key: UUID) -> None:
    limit(key, 1, machines=(machine,))
    target.ended = 1
    run = machine.run(flow("start -> ask", call("ask", key)))
    assert run.status == "completed", run
    first, second = target.calls("/a")
    assert second - first >= 1.0, "one call a second"
