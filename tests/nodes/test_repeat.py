from __future__ import annotations

import pytest

from runtime.catalog import CATALOG
from runtime.sdk import OwnRuns
from tests.nodes.steps import step


async def test_it_is_done_in_turns_with_a_pause() -> None:
    config = {"until": "{{ item.ready }}", "pause": 2, "unit": "minutes", "most_turns": 5}
    outcome = await step("flow.repeat@1", config)
    assert outcome == OwnRuns("turns", most_turns=5, pause_ms=120_000)


async def test_an_endless_pause_is_held_to_a_year() -> None:
    outcome = await step("flow.repeat@1", {"until": "{{ item.ready }}", "pause": "9999999999", "unit": "days"})
    assert outcome.pause_ms == 366 * 86_400_000


def test_it_needs_to_know_when_it_is_enough() -> None:
    node = CATALOG.get("flow.repeat@1")
    assert node is not None
    assert [problem[:2] for problem in node.problems({})] == [("until", "required")]
    assert node.spec()["container"] is True


@pytest.mark.parametrize("until", ["index >= 1", "true", "{{ index }} >= 1", "{{ item.a }}{{ item.b }}", "{x}"])
def test_a_text_that_is_never_true_is_a_problem_that_says_how_to_write_it(until: str) -> None:
    node = CATALOG.get("flow.repeat@1")
    assert node is not None
    ((field, code, said),) = node.problems({"until": until})
    assert (field, code) == ("until", "formula")
    assert "{{" in said
    if until == "index >= 1":
        assert "{{ index >= 1 }}" in said
    assert node.problems({"until": "{{ index >= 1 }}"}) == node.problems({"until": " {{ item.ready }} "}) == []


@pytest.mark.parametrize("until", ['{{ "done" }}', "{{ 5 }}", "{{ -5 }}", "{{ none }}", "{{ [item.a] }}", "{{ {} }}"])
def test_a_value_written_out_that_is_neither_true_nor_false_is_a_problem_too(until: str) -> None:
    node = CATALOG.get("flow.repeat@1")
    assert node is not None
    ((field, code, said),) = node.problems({"until": until})
    assert (field, code) == ("until", "formula")
    assert '{{ item.status == "done" }}' in said


@pytest.mark.parametrize("until", ["{{ true }}", "{{ false }}", "{{ not 5 }}", "{{ 5 > 4 }}", "{{ item }}"])
def test_what_may_be_true_or_false_is_no_problem(until: str) -> None:
    node = CATALOG.get("flow.repeat@1")
    assert node is not None
    assert node.problems({"until": until}) == []
