"""Locks carry hashes and no download addresses; what was generated is fresh."""

from __future__ import annotations

import json
import re
import tomllib

import pytest

from tests import generated
from tests.architecture.source import ROOT

LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-node.lock")


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_package_has_hashes_and_no_address(name: str) -> None:
    text = (ROOT / name).read_text()
    assert "://" not in text
    assert "--index-url" not in text
    entries = re.split(r"\n(?=[A-Za-z0-9])", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).strip())
    assert entries
    for entry in entries:
        assert re.match(r"[A-Za-z0-9._\[\]-]+==", entry), entry[:80]
        assert "--hash=sha256:" in entry, entry[:80]


def test_the_lock_holds_every_dependency_that_is_asked_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    asked = {re.split(r"[\[<>=!~; ]", line, maxsplit=1)[0] for line in project["project"]["dependencies"]}
    locked = {
        entry.split("==")[0].lower() for entry in (ROOT / "requirements.lock").read_text().splitlines() if "==" in entry
    }
    assert {name.lower().replace("_", "-") for name in asked} - {name.replace("_", "-") for name in locked} == set()


def test_the_front_ends_lock_has_digests_and_no_addresses() -> None:
    lock = json.loads((ROOT / "frontend" / "package-lock.json").read_text())
    for name, package in lock["packages"].items():
        if not name:
            continue
        assert "resolved" not in package, name
        assert package.get("integrity", "").startswith("sha512-"), name


def test_the_front_ends_dependencies_are_pinned_exactly() -> None:
    package = json.loads((ROOT / "frontend" / "package.json").read_text())
    for group in ("dependencies", "devDependencies"):
        for name, version in package[group].items():
            assert re.fullmatch(r"[0-9]+\.[0-9]+\.[0-9]+", version), f"{name}: {version}"


@pytest.mark.parametrize("item", generated.FILES, ids=lambda item: item.path.name)
def test_a_generated_file_is_fresh(item: generated.Generated) -> None:
    assert item.path.exists(), f"{item.path.name} is missing: run make api"
    assert item.path.read_text() == item.make(), f"{item.path.name} is stale: run make api"
