"""Where the extra is not there, the step says what to install, and everything else is as ever."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.documents.extra import needs_html, python_without_it
from tests.product import ROOT, Api, Product, ProductFailed

#: The state of this very machine, whichever it is, is looked at in `test_conformance` and `test_pdf_from_html`.
_ASKED = "from runtime.documents.html import missing, print_html\nprint(missing())\nprint_html({}, {}, {})"


@pytest.fixture(scope="module")
def without(tmp_path_factory: pytest.TempPathFactory) -> str:
    return python_without_it(tmp_path_factory.mktemp("without") / "python")


@pytest.fixture(scope="module")
def api(without: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with Product(tmp_path_factory.mktemp("product") / "data", python=without) as product:
        product.start()
        found = product.set_up()
        yield found
        found.close()


def flow(kind: str, config: dict[str, Any]) -> dict[str, Any]:
    return {
        "format": "millrace.workflow", "version": 1, "annotations": [],
        "nodes": [
            {"id": "start", "key": "start", "type": "trigger.manual@1", "name": "Start", "config": {},
             "position": {"x": 0, "y": 0}},
            {"id": "paper", "key": "paper", "type": kind, "name": "Write the letter", "config": config,
             "position": {"x": 0, "y": 150}},
        ],
        "edges": [{"id": "one", "source": "start", "sourceHandle": "out", "target": "paper", "targetHandle": "in"}],
    }  # fmt: skip


def asked(python: str, environment: dict[str, str]) -> tuple[str, str]:
    """What is missing as a process says it, and how drawing ended."""
    done = subprocess.run(
        [python, "-c", _ASKED], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    return done.stdout.strip(), done.stderr.strip().splitlines()[-1]


def test_without_the_package_it_says_how_to_install_it(without: str) -> None:
    said, ended = asked(without, {"LC_ALL": "C.UTF-8"})
    assert "make html-pdf" in said
    assert ended == f"runtime.documents.problems.DocumentProblem: {said}"


@needs_html
@pytest.mark.parametrize("library", ["libpango-1.0", "libpangoft2-1.0", "libharfbuzz-subset"])
def test_without_a_library_it_says_which_and_how_to_install_it(library: str, tmp_path: Path) -> None:
    # The loader finds this one first, and cannot use it.
    (tmp_path / f"{library}.so.0").touch()
    said, ended = asked(sys.executable, {"LD_LIBRARY_PATH": str(tmp_path), "LC_ALL": "C.UTF-8"})
    assert "apt-get install libpango-1.0-0" in said
    assert ("HarfBuzz" if "harfbuzz" in library else "Pango") in said
    assert ended == f"runtime.documents.problems.DocumentProblem: {said}"


def test_it_can_be_drawn_and_saved_and_is_refused_when_it_is_to_go_live(api: Api) -> None:
    graph = flow("documents.from_html@1", {"template": "<p>{{ data.it }}", "data": {"it": 1}, "name": "x"})
    with pytest.raises(ProductFailed) as refused:
        api.publish("Letters", graph)
    told = json.loads(str(refused.value).split(" ", 3)[3])
    (problem,) = told["problems"]
    assert (problem["code"], problem["node"], problem["field"]) == ("not_installed", "paper", "template")
    assert "make html-pdf" in problem["message"]


def test_documents_of_blocks_are_drawn_as_ever(api: Api) -> None:
    design = {"version": 1, "title": "x", "blocks": [{"kind": "text", "text": "{{ data.it }}"}]}
    live = api.publish("Documents", flow("documents.create@1", {"design": design, "data": {"it": 1}, "name": "x"}))
    run = api.call("POST", f"W/workflows/{live.workflow}/runs", {"input": {}})["id"]
    deadline = time.monotonic() + 60
    while (status := api.call("GET", f"W/runs/{run}")["status"]) in ("accepted", "queued", "running"):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert status == "completed"
