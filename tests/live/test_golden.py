"""The law of live updates held to golden files, which the front end's tests read, too.

`MILLRACE_WRITE_GOLDEN=1 pytest tests/live/test_golden.py` records them anew from real runs.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from builder.workflows.shapes import RunShape, StepShape
from runtime import api as runtime_api
from tests import factories
from tests.live.conftest import Site, steps
from tests.live.law import apply_all, apply_change, comparable

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "live"
RECORD = os.environ.get("MILLRACE_WRITE_GOLDEN") == "1"


def fails() -> dict[str, Any]:
    """A start, and a step that fails."""
    fail = ("fail", "flow.fail@1", {"message": "The period is closed."})
    return factories.graph(("start", "trigger.manual@1", {}), fail, edges=["start -> fail"])


def fails_until_mended() -> dict[str, Any]:
    """A start, a step that is done once, and one whose formula cannot be worked out."""
    done = ("done", "data.edit_fields@1", {"fields": [{"name": "number", "value": 1}]})
    broken = ("broken", "data.edit_fields@1", {"fields": [{"name": "number", "value": "{{ number('x') }}"}]})
    last = ("last", "flow.wait@1", {"mode": "for", "amount": "0.15", "unit": "seconds"})
    return factories.graph(
        ("start", "trigger.manual@1", {}),
        done,
        broken,
        last,
        edges=["start -> done", "done -> broken", "broken -> last"],
    )


GRAPHS = {"decision": steps(0.15, 0.15), "failure": fails(), "retried": fails_until_mended(), "straight": steps(0)}


def retry(site: Site, run_id: UUID) -> None:
    """Go on with the run, its broken step mended."""
    plan = runtime_api.retry_plan(workspace_id=site.northwind.id, run_id=run_id)
    (broken,) = (step.node for step in plan.steps if step.key == "broken")
    edits: dict[str, Any] = {broken: {"fields": [{"name": "number", "value": 2}]}}
    runtime_api.retry(workspace_id=site.northwind.id, run_id=run_id, plan=plan.id, edits=edits)


def files() -> list[Path]:
    return sorted(GOLDEN.glob("*.json"))


def read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


if RECORD:

    @pytest.mark.parametrize("name", GRAPHS)
    def test_record(site: Site, name: str) -> None:
        vera = site.browser(site.vera)
        run_id = site.start(site.publish(GRAPHS[name], name.capitalize()))
        if name == "retried":
            site.finish(run_id)
        snapshot = site.snapshot(vera, run_id)
        with vera.socket() as line:
            line.say(type="subscribe", run=str(run_id), after=snapshot["seq"])
            if name == "retried":
                retry(site, run_id)
            changes = line.hear_until("dead_lettered" if name == "failure" else "completed")
        content = {"name": name, "snapshot": snapshot, "changes": changes, "fresh": site.snapshot(vera, run_id)}
        path = GOLDEN / f"{name}.json"
        path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def test_there_is_a_golden_file_for_each_kind_of_run() -> None:
    assert {path.stem for path in files()} == set(GRAPHS)


@pytest.mark.parametrize("path", files(), ids=lambda path: path.stem)
class TestLaw:
    def test_snapshot_and_changes_equal_the_fresh_snapshot(self, path: Path) -> None:
        golden = read(path)
        assert golden["changes"]
        assert comparable(apply_all(golden["snapshot"], golden["changes"])) == comparable(golden["fresh"])

    def test_a_change_delivered_twice_or_late_changes_nothing(self, path: Path) -> None:
        golden = read(path)
        known = golden["snapshot"]
        for change in golden["changes"]:
            known = apply_change(known, change)
            assert apply_change(known, change) is known
        for change in golden["changes"]:
            assert apply_change(known, change) is known

    def test_the_changes_joined_into_one_say_the_same(self, path: Path) -> None:
        golden = read(path)
        latest: dict[tuple[str, int], dict[str, Any]] = {}
        for change in golden["changes"]:
            latest |= {(step["node"], step["generation"]): step for step in change["steps"]}
        joined = {
            **golden["changes"][-1],
            "after": golden["changes"][0]["after"],
            "steps": list(latest.values()),
        }
        assert comparable(apply_change(golden["snapshot"], joined)) == comparable(golden["fresh"])

    def test_a_gap_is_noticed(self, path: Path) -> None:
        golden = read(path)
        later = {**golden["changes"][-1], "after": golden["snapshot"]["seq"] + 1_000, "seq": 10_000}
        with pytest.raises(ValueError, match="a gap"):
            apply_change(golden["snapshot"], later)

    def test_the_file_has_todays_shapes(self, path: Path) -> None:
        """A golden file that the product no longer sends proves nothing."""
        golden = read(path)
        for whole in (golden["snapshot"], golden["fresh"]):
            RunShape.model_validate(whole["run"])
            for step in whole["steps"]:
                StepShape.model_validate(step)
            assert set(whole) == {"run", "graph", "steps", "seq"}
        for change in golden["changes"]:
            assert set(change) == {"type", "run", "after", "seq", "state", "steps"}
            assert set(change["state"]) == set(RunShape.model_fields)
            for step in change["steps"]:
                assert set(step) == set(StepShape.model_fields)
