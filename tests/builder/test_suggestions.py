"""What is suggested for dead letters, by what they failed of."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import pytest

from builder.connections.models import Connection
from builder.workflows.suggestions import RULES, Suggested, suggested
from runtime.engine.jsonprofile import dumps, loads_stored
from runtime.store.models import DeadLetter, Run
from tests.builder.conftest import World
from tests.builder.test_bulk_retries import letters

TEXTS = Path(__file__).parents[2] / "frontend/src/i18n"


@pytest.mark.parametrize(
    ("code", "action"),
    [
        ("http_401", "mend_connection"), ("http_403", "mend_connection"), ("smtp_auth", "mend_connection"),
        ("connection_missing", "mend_connection"), ("host_key_changed", "mend_connection"),
        ("http_429", "replay_slowly"), ("pool", "replay_slowly"),
        ("http_500", "replay"), ("http_503", "replay"), ("connect", "replay"), ("timeout", "replay"),
        ("http_400", "edit"), ("http_422", "edit"), ("conversion", "edit"), ("address", "edit"),
        ("output_too_large", "edit"),
        ("http_404", "settle"), ("http_409", "settle"), ("refused", "settle"), ("row_exists", "settle"),
        ("formula", "mend_workflow"), ("settings", "mend_workflow"), ("switched_off", "mend_workflow"),
        ("undo_incomplete", "undo"), ("in_doubt", "look"), ("document_damaged", "look"), ("unexpected", "look"),
        ("a_code_of_their_own", "look"), ("http_418", "look"),
    ],
)  # fmt: skip
def test_each_cause_has_its_way(code: str, action: str) -> None:
    assert suggested(code) == action


def test_what_was_repaired_is_retried_whatever_it_was() -> None:
    assert suggested("http_401", repaired=True) == "replay"


def test_every_failure_that_the_product_knows_has_a_rule_or_is_left_to_a_look() -> None:
    known = json.loads((TEXTS / "en/server.json").read_text())["failures"]
    families = {"http", "document", "output"}
    without = {code for code in known if not any(rule.codes.fullmatch(code) for rule in RULES)}
    assert without - families == {"unexpected"}


@pytest.mark.parametrize("language", ["en", "de"])
def test_each_way_has_words(language: str) -> None:
    texts = json.loads((TEXTS / language / "deadLetters.json").read_text())["suggested"]
    assert {*texts} >= {*get_args(Suggested)}


def test_a_group_says_what_helps_and_which_connection_is_to_be_mended(world: World) -> None:
    erp = world.as_bo.post(
        f"{world.here}/connections",
        {"kind": "http_bearer", "name": "ERP", "fields": {"base_url": "https://erp.example.org", "token": "t-1"}},
    )
    assert erp.status == 201, erp.body
    (run,) = letters(world, 1)
    version = Run.objects.get(pk=run).version
    graph: Any = loads_stored(version.graph)
    graph["nodes"][0]["config"] = {"connection": erp.body["id"]}
    version.graph = dumps(graph)
    version.save()

    def said(code: str) -> Any:
        DeadLetter.objects.update(code=code)
        (group,) = world.as_vera.get(f"{world.here}/dead-letters").body["items"]
        return group["suggested"]

    assert said("http_401") == {"action": "mend_connection", "connection": {"id": erp.body["id"], "name": "ERP"}}
    assert said("http_429") == {"action": "replay_slowly", "connection": None}
    Connection.objects.update(test_ok=True, tested_at=datetime.now(UTC))
    assert said("http_401") == {"action": "replay", "connection": None}, "it was repaired since"
