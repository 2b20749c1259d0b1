"""Locks carry hashes and no download addresses; what was generated is fresh."""

from __future__ import annotations

import json
import re
import tomllib

import pytest

from tests import generated
from tests.architecture.source import ROOT

EXTRAS = ("requirements-html-pdf.lock", "requirements-traces.lock")
LOCKS = ("requirements.lock", *EXTRAS, "requirements-dev.lock", "requirements-node.lock")


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


def locked(name: str) -> dict[str, str]:
    """The packages of a lock and their versions."""
    entries = [line.split() for line in (ROOT / name).read_text().splitlines() if "==" in line and line[0] != " "]
    return {package.lower().replace("_", "-"): version for package, version in (one[0].split("==") for one in entries)}


def asked_for(lines: list[str]) -> set[str]:
    return {re.split(r"[\[<>=!~; ]", line, maxsplit=1)[0].lower().replace("_", "-") for line in lines}


def test_the_lock_holds_every_dependency_that_is_asked_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert asked_for(project["project"]["dependencies"]) - set(locked("requirements.lock")) == set()


def test_the_locks_of_extras_hold_what_the_lock_holds_and_more() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    usual, developers = locked("requirements.lock"), locked("requirements-dev.lock")
    for extra, lines in project["optional-dependencies"].items():
        found = locked(f"requirements-{extra}.lock")
        assert usual.items() <= found.items() <= developers.items()
        assert asked_for(lines) <= set(found) - set(usual)


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


def test_what_the_generator_warns_of_is_not_published(monkeypatch: pytest.MonkeyPatch) -> None:
    from drf_spectacular.drainage import GENERATOR_STATS, warn

    def guessed() -> dict[str, object]:
        warn("This was guessed.")
        return {}

    monkeypatch.setattr("builder.api.schema.document", guessed)
    with GENERATOR_STATS.silence(), pytest.raises(generated.Doubtful, match=r"This was guessed\."):
        generated.openapi.__wrapped__()
    GENERATOR_STATS.reset()
