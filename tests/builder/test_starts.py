"""Starting by hand: what does not fit the form is refused before anything begins."""

from __future__ import annotations

from typing import Any

import pytest

from runtime.store.models import Event, Run, Version
from tests import factories
from tests.builder.conftest import World
from tests.factories import Answer

QUESTIONS = [
    {"name": "amount", "label": "Amount", "type": "number", "required": True},
    {"name": "due", "label": "Due on", "type": "date"},
    {"name": "kind", "label": "Kind", "type": "choice", "options": ["a", "b"]},
]
UNFIT = [
    ({}, {"input.amount": ["“Amount” needs an answer."]}),
    (None, {"input.amount": ["“Amount” needs an answer."]}),
    ({"amount": "x"}, {"input.amount": ["“Amount” needs a number like 1234.50."]}),
    ({"amount": 5, "due": "2026-02-30"}, {"input.due": ["“Due on” needs a date like 2026-11-20."]}),
    ({"amount": 5, "kind": "z"}, {"input.kind": ["“Kind” is one of: a, b."]}),
    ({"amount": 5, "zz": 1}, {"input.zz": ["There is no question called “zz”."]}),
    ([1], {"input": ["The input is an object with one value for each question."]}),
]


def form() -> dict[str, Any]:
    return factories.graph(
        ("start", "trigger.manual@1", {"fields": QUESTIONS}),
        ("note", "data.edit_fields@1", {"fields": [{"name": "x", "value": "1"}]}),
        edges=["start -> note"],
    )


def nothing_began() -> bool:
    return not (Run.objects.exists() or Event.objects.exists() or Version.objects.filter(kind="test").exists())


def refused(answer: Answer, fields: dict[str, list[str]]) -> None:
    assert (answer.status, answer.code) == (422, "invalid"), answer.body
    assert answer.body["fields"] == fields
    assert nothing_began()


@pytest.mark.parametrize(("given", "fields"), UNFIT, ids=[str(given) for given, _ in UNFIT])
def test_a_start_that_does_not_fit_the_form_is_refused_field_by_field_and_starts_nothing(
    world: World, given: Any, fields: dict[str, list[str]]
) -> None:
    workflow = world.workflow(graph=form())
    path = f"{world.here}/workflows/{workflow.id}"
    assert world.as_bo.post(f"{path}/publish", {"revision": 1}).status == 201
    refused(world.as_bo.post(f"{path}/runs", {"input": given}), fields)


def test_a_test_that_does_not_fit_the_form_is_refused_field_by_field_and_starts_nothing(world: World) -> None:
    workflow = world.workflow(graph=form())
    path = f"{world.here}/workflows/{workflow.id}/test"
    for given, fields in UNFIT:
        refused(world.as_bo.post(path, {"input": given}), fields)
    refused(world.as_bo.post(path, {"graph": form(), "input": {}}), UNFIT[0][1])
