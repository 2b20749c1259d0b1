"""S76 in small: what the published document says of each route holds, for each role and for nobody."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

import pytest

from tests.product import Product
from tests.schema_calls import cases, town
from tests.schema_calls.calls import Tally, make

pytestmark = pytest.mark.timeout(600)
SEED = 2026


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[town.Town]:
    """A real product in a process of its own, with somebody of each role."""
    with Product(tmp_path_factory.mktemp("schema") / "data") as product:
        product.start()
        found = town.settle(product)
        yield found
        found.close()


@pytest.fixture(scope="module")
def document(here: town.Town) -> Any:
    """The document as the product hands it out."""
    return json.loads(here.api.client.get("/api/v1/schema").content)


def test_every_route_answers_each_role_as_its_published_schema_says(here: town.Town, document: Any) -> None:
    schema, tally = cases.load(document, SEED), Tally()
    for operation in cases.operations(schema):
        dice = random.Random(f"{SEED} {operation.label}")
        objects = here.objects(operation.path)
        made = cases.some_of(schema, operation, SEED)
        for case in made:
            here.give_objects(case, objects, dice)
        make(here, operation, made, tally)
    assert not tally.failures, f"{len(tally.failures)} kinds of failure (seed {SEED}):\n{tally.told()}"
    assert set(tally.calls) == set(town.ROLES)
    for role in town.ROLES[1:]:
        assert tally.statuses[role][401] < tally.calls[role] / 10, f"Hardly any call was made as {role}."


def test_an_answer_that_the_schema_does_not_know_is_noticed(here: town.Town, document: Any) -> None:
    told = json.loads(json.dumps(document))
    operation = told["paths"]["/api/v1/me"]["get"]
    del operation["responses"]["401"]
    operation["responses"]["200"]["content"]["application/json"]["schema"] = {"type": "array"}
    schema, tally = cases.load(told, SEED), Tally()
    [me] = [found for found in cases.operations(schema) if found.label == "GET /api/v1/me"]
    make(here, me, cases.covering(schema, me)[cases.MODES[0]], tally)
    assert {status for _, status, _ in tally.failures} == {"200", "401"}
