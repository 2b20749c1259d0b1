"""Step types, the fields of connections and the functions of formulas have words in every language of the interface."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from runtime.api import functions
from runtime.catalog import CATALOG
from runtime.sdk.connections import KINDS
from tests import step_words
from tests.architecture.source import ROOT

_FORMULA = re.compile(r"\{\{.*?\}\}|\{\"EUR\".*?\}|https?://[\w./]*|“\w+”|„\w+“")


def _german() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = json.loads((ROOT / "frontend/src/i18n/de/steps.json").read_text("utf-8"))
    return found


def _pairs() -> Iterator[tuple[str, str]]:
    for area, words in _german().items():
        if area not in {"synonyms", "placeholders"}:
            yield from words.items()


@pytest.mark.parametrize("spec", CATALOG.specs(), ids=lambda spec: str(spec["type"]))
def test_every_text_of_a_step_type_has_german_words(spec: dict[str, Any]) -> None:
    german = _german()
    texts = [one for one in step_words.of_step(spec) if step_words.has_words(one[1])]
    assert len(texts) > 2
    assert [one for one in texts if one[1] not in german[one[0]]] == []
    assert german["synonyms"][spec["name"]]


@pytest.mark.parametrize("kind", KINDS)
def test_every_text_of_a_form_of_a_connection_has_german_words(kind: str) -> None:
    german = _german()
    texts = [one for one in step_words.of_connection(kind) if step_words.has_words(one[1])]
    assert texts
    assert [one for one in texts if one[1] not in german[one[0]]] == []


def test_every_function_of_formulas_has_german_words() -> None:
    german = _german()["functions"]
    assert [one["name"] for one in functions() if one["help"] not in german] == []


def test_german_words_keep_what_is_not_language() -> None:
    """Formulas, numbers in them and names in the data are the same in every language."""
    for english, german in _pairs():
        kept = [part.strip("“”„") for part in _FORMULA.findall(english) if part != "“Otherwise”"]
        assert [part for part in kept if part not in german] == [], german


def test_what_german_words_quote_is_called_so() -> None:
    """A step or a way out that a text names is named as it stands on the screen."""
    german = _german()
    ways = json.loads((ROOT / "frontend/src/i18n/de/server.json").read_text("utf-8"))["ports"]
    connections = json.loads((ROOT / "frontend/src/i18n/de/connections.json").read_text("utf-8"))
    called = {
        *german["titles"].values(), *german["options"].values(),
        *(label for way in ways.values() for label in way.values()),
        "Bei Fehler", "Rücknahme", connections["test"],
    }  # fmt: skip
    for english, text in _pairs():
        for quoted in re.findall(r"„([^“]+)“", text):
            assert quoted in called or f"“{quoted}”" in english or not quoted[:1].isupper(), text
