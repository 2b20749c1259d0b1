"""What the cards of a run say of it: the value that decided, who answered, what came of a call; nothing sensitive."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from runtime.engine.ids import uuid7
from runtime.engine.jsonprofile import dumps
from runtime.store.models import Run, StepRun
from tests import factories
from tests.builder.conftest import World
from tests.builder.test_comparisons import AT, publish

CANARY = "DE89370400440532013000"
GIVEN = {
    "body": {"total": 13412.8, "currency": "EUR", "country": "DE", "iban": CANARY, "bank": {"iban": CANARY}},
    "lines": [{"iban": CANARY}],
}


def decision(left: str) -> dict[str, Any]:
    return {"conditions": {"match": "all", "rules": [{"left": left, "op": "exists", "right": "", "type": "any"}]}}


def flow(world: World, *steps: tuple[str, str, dict[str, Any]]) -> Any:

    return factories.graph(("start", "trigger.manual@1", {}), *steps)


def lived(world: World, steps: list[tuple[str, str, dict[str, Any], Any]], given: Any = None, **more: Any) -> str:
    version = publish(world, world.workflow())
    graph = flow(world, *[(key, kind, config) for key, kind, config, _ in steps])
    type(version).objects.filter(pk=version.pk).update(graph=dumps(graph))
    made = Run.objects.create(
        id=uuid7(), workspace_id=world.northwind.id, workflow_id=version.workflow_id, version=version, seq=9,
        trigger_node="n_start", started_by="api", status="completed", accepted_at=AT, started_at=AT,
        finished_at=AT + 1, **more,
    )  # fmt: skip
    outputs: list[tuple[str, Any]] = [("start", GIVEN if given is None else given)]
    outputs += [(key, output) for key, _, _, output in steps]
    for seq, (key, output) in enumerate(outputs, start=1):
        StepRun.objects.create(
            run=made, node_id=f"n_{key}", node_key=key, status="succeeded", attempt=1, seq=seq, token=1,
            ports='["yes"]', output=None if output is None else dumps(output), started_at=AT, finished_at=AT + 840_000,
        )  # fmt: skip
    return f"{world.here}/runs/{made.id}/cards"


def told(world: World, path: str) -> dict[str, dict[str, Any]]:
    return {one["node"]: one for one in world.as_vera.get(path).body["items"]}


def test_a_decision_tells_the_value_that_it_compared_with_the_currency_beside_it(world: World) -> None:
    path = lived(
        world,
        [
            ("big", "flow.decision@1", decision("{{ trigger.body.total }}"), {"result": True}),
            ("where", "flow.switch@1", {"mode": "value", "value": "{{ steps.start.body.country }}"}, {"x": 1}),
            ("many", "flow.decision@1", decision("{{ trigger.body.total * 2 }}"), {"result": True}),
        ],
    )
    found = told(world, path)
    assert (found["n_big"]["value"], found["n_big"]["number"], found["n_big"]["currency"]) == ("13412.8", True, "EUR")
    assert (found["n_where"]["value"], found["n_where"]["number"]) == ("DE", False)
    assert "n_many" not in found


def test_an_approval_a_call_and_a_mail_tell_what_came_of_them(world: World) -> None:
    said = {"by": "Ines Kaya", "outcome": "approved", "at": "2026-11-20T09:55:00Z", "comment": "ok"}
    path = lived(
        world,
        [
            ("ask", "people.approval@1", {}, {"outcome": "approved", "decisions": [said]}),
            ("post", "http.request@1", {}, {"status": 201, "body": {"id": "V-77"}, "duration_ms": 400}),
            ("mail", "email.send@1", {}, {"accepted": ["a@x.example", "b@x.example", "c@x.example"]}),
        ],
    )
    found = told(world, path)
    assert (found["n_ask"]["by"], found["n_ask"]["outcome"], found["n_ask"]["took_ms"]) == (
        "Ines Kaya", "approved", 840_000,
    )  # fmt: skip
    assert (found["n_post"]["status"], found["n_post"]["identity"], found["n_post"]["took_ms"]) == (201, "V-77", 400)
    assert found["n_mail"]["count"] == 3


@pytest.mark.parametrize("place", ["body.iban", "body.bank.iban", "lines[0].iban"])
def test_a_sensitive_value_is_on_no_card(world: World, place: str) -> None:
    assert world.as_alice.patch(world.here, {"sensitive_fields": ["IBAN"]}).status == 200
    sent = {"status": 200, "body": {"id": f'{{"iban": "{CANARY}"}}'}, "duration_ms": 1}
    path = lived(
        world,
        [
            ("check", "flow.decision@1", decision(f"{{{{ trigger.{place} }}}}"), {"result": True}),
            ("post", "http.request@1", {}, sent),
        ],
    )
    for caller in (world.as_vera, world.as_rosa, world.as_alice):
        answer = caller.get(path)
        assert CANARY not in answer.raw.decode()
        (card,) = [one for one in answer.body["items"] if one["node"] == "n_check"]
        assert (card["hidden"], card["value"]) == (True, None)


def test_no_value_is_in_what_the_socket_and_the_snapshot_carry(world: World) -> None:
    path = lived(world, [("check", "flow.decision@1", decision("{{ trigger.body.iban }}"), {"result": True})])
    run = path.removesuffix("/cards")
    assert CANARY in world.as_vera.get(path).raw.decode()
    for body in (f"{run}/changes?after=0", f"{run}/snapshot"):
        answer = world.as_vera.get(body)
        assert answer.status == 200
        assert CANARY not in answer.raw.decode()


def test_nothing_is_told_once_the_data_is_gone_or_to_another_workspace(world: World) -> None:
    steps: list[tuple[str, str, dict[str, Any], Any]] = [
        ("big", "flow.decision@1", decision("{{ trigger.body.total }}"), {"result": True})
    ]
    path = lived(world, steps)
    assert told(world, path)
    assert world.as_mallory.get(path).status == 404
    Run.objects.filter(pk=UUID(path.split("/")[-2])).update(values_removed_at=AT)
    assert told(world, path) == {}


def test_a_card_tells_the_value_that_its_own_go_compared(world: World) -> None:
    path = lived(
        world, [("big", "flow.decision@1", decision("{{ steps.read.total }}"), {"result": True}),
                ("read", "data.set@1", {}, {"total": 1})],
    )  # fmt: skip
    run_id = path.split("/")[-2]
    assert told(world, path)["n_big"]["value"] == "1"
    # Gone on with: what is read anew is compared only later, and then it is more than a card reads.
    again = {"run_id": run_id, "node_id": "n_read", "node_key": "read", "generation": 2, "seq": 8}
    StepRun.objects.create(status="succeeded", output=dumps({"total": 2}), **again)
    assert (told(world, path)["n_big"]["generation"], told(world, path)["n_big"]["value"]) == (1, "1")
    StepRun.objects.create(
        run_id=run_id, node_id="n_big", node_key="big", generation=2, seq=9, status="succeeded",
        output=dumps({"result": True}),
    )  # fmt: skip
    assert (told(world, path)["n_big"]["generation"], told(world, path)["n_big"]["value"]) == (2, "2")
    large = dumps({"total": 3, "rest": "x" * 40_000})
    again["generation"] = 3
    StepRun.objects.create(status="succeeded", output=large, **again)
    StepRun.objects.create(
        run_id=run_id, node_id="n_big", node_key="big", generation=3, seq=9, status="succeeded", output="{}"
    )
    assert "n_big" not in told(world, path)
