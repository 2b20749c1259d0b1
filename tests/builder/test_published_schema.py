"""The published document says of each route what it answers; `tests/schema_calls` asks the routes themselves."""

from __future__ import annotations

from typing import Any

import pytest

from builder.api import schema
from builder.api.operation import Operation
from builder.workflows.shapes import View
from tests.builder.conftest import World


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return schema.document()


def answer_of(document: dict[str, Any], path: str) -> set[str]:
    """The fields of what a GET answers."""
    content = document["paths"][f"/api/v1/workspaces/{{workspace_id}}{path}"]["get"]["responses"]["200"]["content"]
    name = content["application/json"]["schema"]["$ref"].rsplit("/", 1)[1]
    return set(document["components"]["schemas"][name]["properties"])


def test_two_shapes_of_one_name_are_not_published_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    from builder.api import run_lists

    class CountView(View):
        """Called as the one of the inbox is, and another."""

        anything: str

    declared = run_lists.CountOfRuns.get.operation  # type: ignore[attr-defined]
    monkeypatch.setattr(
        run_lists.CountOfRuns.get, "operation", Operation(**{**fields_of(declared), "answer": CountView})
    )
    with pytest.raises(TypeError, match="Two shapes are called CountView"):
        schema.document()


def fields_of(declared: Operation) -> dict[str, Any]:
    return {name: getattr(declared, name) for name in declared.__dataclass_fields__}


def test_counts_of_runs_and_of_questions_are_told_apart(document: dict[str, Any]) -> None:
    assert answer_of(document, "/runs/count") == {"count", "more"}
    assert answer_of(document, "/inbox/count") == {"count", "unread", "letters"}


def test_a_download_may_be_of_any_type(document: dict[str, Any]) -> None:
    told = document["paths"]["/api/v1/workspaces/{workspace_id}/files/{file_id}/content"]["get"]["responses"]["200"]
    assert list(told["content"]) == ["*/*"]


@pytest.mark.parametrize("path", ["/runs", "/runs/count"])
def test_a_day_that_is_none_is_refused_as_the_document_says(world: World, document: dict[str, Any], path: str) -> None:
    answer = world.as_vera.get(f"{world.here}{path}?since=8970-80-73")
    assert (answer.status, answer.code) == (422, "invalid")
    assert "422" in document["paths"][f"/api/v1/workspaces/{{workspace_id}}{path}"]["get"]["responses"]
