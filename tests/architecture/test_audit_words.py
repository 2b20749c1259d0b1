"""Every deed, every kind of thing it is done to and all that it says has words in each language: in the audit log, and
those that are done to a run or to a question among what happened in the run."""

from __future__ import annotations

import json
from typing import Any

import pytest

from builder.api.deeds import DEEDS
from builder.api.happenings import SAID_THERE
from tests.architecture.source import ROOT


def catalogue(language: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / f"frontend/src/i18n/{language}/{name}.json").read_text(encoding="utf-8"))
    return found


def lacking(words: Any, wanted: set[str]) -> list[str]:
    def said(key: str) -> bool:
        found: Any = words
        for part in key.split("."):
            found = found.get(part) if isinstance(found, dict) else None
        return isinstance(found, str) and found != ""

    return [key for key in sorted(wanted) if not said(key)]


@pytest.mark.parametrize("language", ["en", "de"])
def test_every_deed_its_things_and_what_it_says_have_words(language: str) -> None:
    wanted = {f"verb.{verb}" for verb in DEEDS} | {f"thing.{deed.kind}" for deed in DEEDS.values()}
    wanted |= {f"field.{name}" for deed in DEEDS.values() for name in (*deed.says, *deed.digests)}
    assert lacking(catalogue(language, "audit"), wanted) == []


@pytest.mark.parametrize("language", ["en", "de"])
def test_every_deed_that_is_done_to_a_run_has_words_among_what_happened_in_it(language: str) -> None:
    wanted = {f"deed.{verb}" for verb, deed in DEEDS.items() if deed.kind in ("run", "task")}
    assert lacking(catalogue(language, "happenings"), wanted - {f"deed.{verb}" for verb in SAID_THERE}) == []
