"""The house has the rooms it says it has, and nothing lies about."""

from __future__ import annotations

import re
import tomllib

from tests.architecture.source import ROOT, files, name_of, python_files

TOP_LEVEL = {
    ".ci", ".gitignore", ".dockerignore", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Makefile", "README.md",
    "builder", "docker", "docs", "frontend", "manage.py", "pyproject.toml", "requirements-dev.lock",
    "requirements-html-pdf.lock", "requirements-node.lock", "requirements-traces.lock", "requirements.lock", "runtime",
    "tests",
}  # fmt: skip

LONGEST = 500
#: Files above the limit, each with its reason.
LONG_ON_PURPOSE: dict[str, str] = {}


def test_nothing_stands_at_the_top_that_was_not_planned() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in files()} - TOP_LEVEL == set()


def test_every_room_says_what_it_is_for() -> None:
    for room in ("builder", "runtime", "frontend"):
        readme = ROOT / room / "README.md"
        assert readme.exists(), f"{room}/README.md is missing"
        assert len(readme.read_text().splitlines()) <= 120, f"{room}/README.md is longer than a screen or two"


def test_no_file_is_longer_than_500_lines_without_a_reason() -> None:
    long = {
        name_of(path): lines
        for path in files()
        if path.suffix in (".py", ".ts", ".tsx", ".css")
        and not path.name.endswith(".gen.ts")
        and (lines := len(path.read_bytes().splitlines())) > LONGEST
        and name_of(path) not in LONG_ON_PURPOSE
    }
    assert long == {}


def test_the_list_of_long_files_holds_no_file_that_became_short() -> None:
    for name in LONG_ON_PURPOSE:
        assert len((ROOT / name).read_bytes().splitlines()) > LONGEST, f"{name} needs no exception any more"


def test_nothing_unfinished_is_left_behind() -> None:
    leftovers = re.compile("|".join(["TO" + "DO", "FIX" + "ME", "X" * 3 + r"\b", "coming " + "soon", r"it\." + "only"]))
    found = [
        f"{name_of(path)}:{number}: {line.strip()[:80]}"
        for path in files()
        if path.suffix in (".py", ".ts", ".tsx", ".css", ".html") and not path.name.endswith(".gen.ts")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if leftovers.search(line)
    ]
    assert found == []


def test_no_path_of_a_developers_machine_is_written_down() -> None:
    homes = re.compile(r"(?<![\w.])/(?:home|root|Users|work)/[A-Za-z]")
    text = (".py", ".md", ".ts", ".tsx", ".css", ".html", ".json", ".yaml", ".toml", ".lock", "")
    found = [
        f"{name_of(path)}:{number}"
        for path in files()
        if path.suffix in text
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if homes.search(line)
    ]
    assert found == []


def test_a_skipped_test_says_why() -> None:
    bare = re.compile(r"@pytest\.mark\.(skip|xfail)\b(?!.*reason=)")
    found = [name_of(path) for path in python_files("tests/") if bare.search(path.read_text(encoding="utf-8"))]
    assert found == []


def test_the_layers_have_no_exception() -> None:
    rules = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
    assert len(rules) >= 6
    assert [rule["id"] for rule in rules if "ignore_imports" in rule] == []


def test_only_the_canvas_imports_the_canvas_library() -> None:
    found = [
        name_of(path)
        for path in files()
        if path.suffix in (".ts", ".tsx") and name_of(path).startswith("frontend/src/")
        if "@xyflow/" in path.read_text(encoding="utf-8") and not name_of(path).startswith("frontend/src/canvas/")
    ]
    assert found == []


#: Rooms of the front end, each with the rooms that it may import.
FRONTEND_ROOMS: dict[str, set[str]] = {
    "app": {"pages", "inspector", "canvas", "preview", "live", "api", "graph", "ui", "i18n"},
    "pages": {"inspector", "canvas", "preview", "live", "api", "graph", "ui", "i18n"},
    "inspector": {"live", "api", "graph", "ui", "i18n"},
    "canvas": {"live", "api", "graph", "ui", "i18n"},
    "preview": {"api", "graph", "ui", "i18n"},
    "live": {"api", "graph", "ui", "i18n"},
    "api": {"graph", "ui", "i18n"},
    "graph": {"ui", "i18n"},
    "ui": {"i18n"},
    "i18n": set(),
}
IMPORTED = re.compile(r"(?:from|import)\s*\(?\s*[\"'](\.[^\"']*)[\"']")


def test_the_front_ends_rooms_import_one_way() -> None:
    found = []
    for path in files():
        name = name_of(path)
        room = name.removeprefix("frontend/src/").split("/")[0]
        if not name.startswith("frontend/src/") or room not in FRONTEND_ROOMS or path.suffix not in (".ts", ".tsx"):
            continue
        for target in IMPORTED.findall(path.read_text(encoding="utf-8")):
            reached = (path.parent / target).resolve().relative_to(ROOT / "frontend" / "src").parts[0]
            if reached in FRONTEND_ROOMS and reached != room and reached not in FRONTEND_ROOMS[room]:
                found.append(f"{name}: {target}")
    assert found == []
