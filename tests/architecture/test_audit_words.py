"""Every deed, every kind of thing it is done to and all that it says has words in the audit log, in each language."""

from __future__ import annotations

import json
from typing import Any

import pytest

from builder.api.deeds import DEEDS
from tests.architecture.source import ROOT


@pytest.mark.parametrize("language", ["en", "de"])
def test_every_deed_its_things_and_what_it_says_have_words(language: str) -> None:
    path = ROOT / f"frontend/src/i18n/{language}/audit.json"
    catalogue: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    wanted = {f"verb.{verb}" for verb in DEEDS} | {f"thing.{deed.kind}" for deed in DEEDS.values()}
    wanted |= {f"field.{name}" for deed in DEEDS.values() for name in (*deed.says, *deed.digests)}

    def said(key: str) -> bool:
        found: Any = catalogue
        for part in key.split("."):
            found = found.get(part) if isinstance(found, dict) else None
        return isinstance(found, str) and found != ""

    assert [key for key in sorted(wanted) if not said(key)] == []
