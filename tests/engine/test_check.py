"""What is wrong with a draft, said in words."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runtime.engine.check import Problem, check
from runtime.engine.graph import GraphRefused, parse
from tests.engine.catalogs import CATALOG
from tests.engine.cost import lines_run
from tests.engine.drawing import document

Document = dict[str, Any]


def problems(drawn: object) -> list[Problem]:
    return check(drawn, CATALOG)


def codes(drawn: object) -> list[str]:
    return [problem.code for problem in problems(drawn)]


def only(drawn: object) -> Problem:
    (problem,) = problems(drawn)
    return problem


def node(drawn: Document, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(item for item in drawn["nodes"] if item["id"] == name)
    return found


def with_node(drawing: str, step: str, /, **changes: Any) -> Document:
    drawn = document(drawing)
    node(drawn, step).update(changes)
    return drawn


def test_a_sound_workflow_has_no_problems() -> None:
    drawn = document("start -> if, if:yes -> a, if:no -> b, a -> end, b -> end", {"if": "flow.decision@1"})
    assert problems(drawn) == []


def test_an_empty_workflow_lacks_a_start() -> None:
    problem = only({"format": "millrace.workflow", "version": 1, "nodes": [], "edges": []})
    assert (problem.severity, problem.code) == ("error", "graph.no_start")
    assert problem.message == "Nothing starts this workflow. Add a start, such as a webhook or a schedule."


@pytest.mark.parametrize("drawn", [None, 7, "x", [], [[]], True, 1.5])
def test_what_is_not_an_object_is_not_a_workflow(drawn: object) -> None:
    assert codes(drawn) == ["document.not_an_object"]


def test_a_document_of_another_format_or_version_is_named() -> None:
    drawn = document("start") | {"format": "n8n", "version": 2}
    assert codes(drawn) == ["document.format", "document.version"]


def test_version_true_is_not_version_one() -> None:
    assert codes(document("start") | {"version": True}) == ["document.version"]


def test_steps_with_the_same_id_are_found() -> None:
    drawn = document("start -> a")
    drawn["nodes"].append(dict(node(drawn, "a"), key="other"))
    assert only(drawn).code == "node.duplicate_id"


def test_short_names_must_differ_in_more_than_case() -> None:
    drawn = with_node("start -> a -> b", "b", key="A")
    problem = only(drawn)
    assert problem.code == "node.duplicate_key"
    assert problem.message == "“a” and “b” both use the short name “A”. Rename one of them."
    assert problem.node == "b"


def test_links_with_the_same_id_are_found() -> None:
    drawn = document("start -> a, start -> b")
    drawn["edges"][1]["id"] = "e0"
    assert only(drawn).code == "edge.duplicate_id"


@pytest.mark.parametrize(("end", "words"), [("source", "comes from"), ("target", "leads to")])
def test_a_link_to_nowhere_is_found(end: str, words: str) -> None:
    drawn = document("start -> a, start -> b")
    drawn["edges"][1][end] = "ghost"
    problem = problems(drawn)[0]
    assert (problem.code, problem.edge, problem.field) == ("edge.dangling", "e1", end)
    assert words in problem.message


def test_a_step_linked_to_itself_is_pointed_to_for_each_and_repeat_until() -> None:
    problem = only(document("start -> a, a -> a"))
    assert problem.code == "edge.self_loop"
    assert "For each or Repeat until" in problem.message


def test_a_circle_is_reported_on_the_link_that_was_drawn_last() -> None:
    problem = only(document("start -> a -> b -> c, c -> a, c -> d"))
    assert (problem.code, problem.edge) == ("graph.cycle", "e3")
    assert problem.message == (
        "The link from “c” back to “a” goes round in a circle. Delete it; to go back, use For each or Repeat until."
    )


def test_each_of_several_circles_is_reported() -> None:
    drawn = document("start -> a -> b, b -> a, start -> c -> d, d -> c")
    assert [(problem.code, problem.edge) for problem in problems(drawn)] == [
        ("graph.cycle", "e2"),
        ("graph.cycle", "e5"),
    ]


def test_a_circle_of_two_thousand_steps_is_found_without_recursion() -> None:
    names = [f"s{index}" for index in range(1_999)]
    drawn = document("start -> " + " -> ".join(names) + ", s1998 -> s0")
    assert only(drawn).code == "graph.cycle"


def test_nothing_may_lead_into_a_start() -> None:
    assert only(document("start -> a, start2 -> start")).code == "edge.into_start"


def test_a_step_type_that_is_not_installed_is_named() -> None:
    problem = only(with_node("start -> a", "a", type="sap.post@3"))
    assert (problem.severity, problem.code, problem.node) == ("error", "node.type_unknown", "a")
    assert "sap.post@3" in problem.message


def test_a_port_that_the_step_does_not_have_is_named() -> None:
    problem = only(document("start -> a, a:maybe -> b"))
    assert (problem.code, problem.edge) == ("edge.unknown_port", "e1")
    assert problem.message == "“a” has no way out called “maybe”. Draw the link from one that it has: out."


def test_the_ports_of_a_step_may_follow_from_its_config() -> None:
    drawn = document("start -> s, s:eu -> a, s:otherwise -> b", {"s": "flow.switch@1"})
    node(drawn, "s")["config"] = {"cases": [{"id": "eu"}]}
    assert problems(drawn) == []
    node(drawn, "s")["config"] = {"cases": []}
    assert codes(drawn) == ["edge.unknown_port"]


def test_a_step_type_that_stumbles_over_a_config_does_not_break_the_check() -> None:
    drawn = document("start -> s", {"s": "flow.switch@1"})
    node(drawn, "s")["config"] = {"cases": 7}
    assert codes(drawn) == ["node.type_broken"]


def test_a_step_that_cannot_fail_has_no_failure_path() -> None:
    drawn = document("start -> a, start:error -> b")
    assert [problem.code for problem in problems(drawn)] == ["edge.unknown_port"]


def test_undo_cannot_be_drawn_yet() -> None:
    assert "edge.undo_unsupported" in codes(document("start -> a, a:undo -> b"))


def test_a_way_in_that_is_not_there_is_found() -> None:
    drawn = document("start -> a")
    drawn["edges"][0]["targetHandle"] = "side"
    assert only(drawn).code == "edge.unknown_way_in"


def test_two_links_that_say_the_same_are_a_warning() -> None:
    problem = only(document("start -> a, start -> a"))
    assert (problem.severity, problem.code, problem.edge) == ("warning", "edge.duplicate", "e1")


def test_a_step_that_is_not_connected_is_a_warning() -> None:
    problem = only(document("start -> a, b"))
    assert (problem.severity, problem.code, problem.node) == ("warning", "node.not_connected", "b")


def test_steps_that_no_start_leads_to_are_a_warning() -> None:
    assert codes(document("start -> a, b -> c")) == ["node.not_connected", "node.unreachable"]


def test_missing_fields_are_errors_with_the_path_of_the_field() -> None:
    problem = only(with_node("start -> a", "a", type="http.request@1"))
    assert (problem.severity, problem.code, problem.field) == ("error", "field.required", "url")
    assert problem.message == "“url” is empty."


def test_missing_fields_of_a_disabled_step_are_only_warnings() -> None:
    drawn = with_node("start -> a", "a", type="http.request@1", settings={"disabled": True})
    assert only(drawn).severity == "warning"


def test_what_a_step_type_finds_unwise_is_a_warning_at_its_field() -> None:
    drawn = with_node("start -> a", "a", type="http.request@1", config={"url": "https://erp.example.com/?key=1"})
    problem = only(drawn)
    assert (problem.severity, problem.code, problem.field) == ("warning", "url.key", "url")


def test_a_workflow_whose_starts_are_all_switched_off_cannot_start() -> None:
    assert only(with_node("start -> a", "start", settings={"disabled": True})).code == "graph.starts_disabled"


@pytest.mark.parametrize("text", ["{{ trigger.body.total }}", "{{ steps.a.total }}", "{{ run.id }}", "{{ vars.x }}"])
def test_data_from_before_may_be_used(text: str) -> None:
    assert problems(with_node("start -> a -> b", "b", config={"value": text})) == []


def test_data_of_a_step_that_is_not_there_is_an_error_with_a_suggestion() -> None:
    problem = only(with_node("start -> invoice -> b", "b", config={"to": ["{{ steps.invoce.total }}"]}))
    assert (problem.code, problem.field) == ("reference.step_missing", "to[0]")
    assert problem.message == ("This uses data of a step called “invoce”, which is not there. Did you mean “invoice”?")


def test_data_of_a_later_step_cannot_be_used() -> None:
    assert only(with_node("start -> a -> b", "a", config={"x": "{{ steps.b }}"})).code == "reference.not_before"


def test_data_of_a_parallel_branch_cannot_be_used() -> None:
    drawn = with_node("start -> a, start -> b", "b", config={"x": "{{ steps.a }}"})
    problem = only(drawn)
    assert problem.code == "reference.not_before"
    assert problem.message.startswith("This uses data of “a”, which does not come before “b”.")


def test_a_step_cannot_use_its_own_result() -> None:
    assert only(with_node("start -> a", "a", config={"x": "{{ steps.a }}"})).code == "reference.itself"


def test_item_data_is_only_known_inside_for_each() -> None:
    assert only(with_node("start -> a", "a", config={"x": "{{ item.sku }}"})).code == "reference.no_items"


def test_unknown_data_is_an_error() -> None:
    assert only(with_node("start -> a", "a", config={"x": "{{ secrets.key }}"})).code == "reference.unknown"


def test_error_data_belongs_on_a_failure_path() -> None:
    settings = {"on_failure": "error_port"}
    drawn = document("start -> a, a:error -> b -> c, a -> d", a=settings)
    node(drawn, "c")["config"] = {"x": "{{ error.message }}"}
    assert problems(drawn) == []
    node(drawn, "d")["config"] = {"x": "{{ error.message }}"}
    assert [(problem.severity, problem.code) for problem in problems(drawn)] == [("warning", "reference.no_error")]


@pytest.mark.parametrize(
    ("settings", "does"),
    [({}, "stops the run"), ({"on_failure": "stop"}, "stops the run"), ({"on_failure": "continue"}, "carries on")],
)
def test_a_failure_path_that_is_never_taken_stops_a_publish_and_says_what_to_do(
    settings: dict[str, Any], does: str
) -> None:
    problem = only(document("start -> a, a:error -> b", a=settings))
    assert (problem.severity, problem.code, problem.edge) == ("error", "failure.path_unused", "e1")
    assert f"{does} when it fails" in problem.message
    assert "Choose “Go to another step” under “If it fails”, or delete the path." in problem.message


def test_a_failure_path_of_a_step_that_is_switched_off_may_stay_unfinished() -> None:
    problem = only(document("start -> a, a:error -> b", a={"disabled": True}))
    assert (problem.severity, problem.code) == ("warning", "failure.path_unused")


def test_a_failure_path_that_is_not_drawn_is_a_warning() -> None:
    assert only(document("start -> a", a={"on_failure": "error_port"})).code == "failure.path_missing"


def test_a_failure_path_needs_a_step_that_has_one() -> None:
    drawn = document("start -> a", {"a": "flow.stop@1"}, a={"on_failure": "error_port"})
    assert only(drawn).code == "failure.no_error_port"


@pytest.mark.parametrize("choice", [{"disabled": True}, {"on_failure": "continue"}])
def test_a_decision_that_cannot_decide_says_which_way_it_goes(choice: dict[str, Any]) -> None:
    drawn = document("start -> if, if:no -> a, if:yes -> b", {"if": "flow.decision@1"}, **{"if": choice})
    problem = only(drawn)
    assert (problem.severity, problem.code, problem.params["port"]) == ("warning", "node.way_is_a_guess", "no")


def test_a_decision_that_leads_nowhere_is_a_hint() -> None:
    problem = only(document("start -> if", {"if": "flow.decision@1"}))
    assert (problem.severity, problem.code) == ("hint", "node.leads_nowhere")


def test_two_thousand_steps_are_allowed_and_one_more_is_not() -> None:
    drawn = document("start -> " + " -> ".join(f"s{index}" for index in range(1_999)))
    assert problems(drawn) == []
    drawn["nodes"].append(dict(drawn["nodes"][-1], id="more", key="more"))
    problem = only(drawn)
    assert problem.code == "document.too_many_nodes"
    assert (
        problem.message == "A workflow holds at most 2,000 steps; this one has 2,001. Split it into several workflows."
    )


def test_four_thousand_links_are_allowed_and_one_more_is_not() -> None:
    drawn = document("start -> a")
    drawn["edges"] = [dict(drawn["edges"][0], id=f"e{index}") for index in range(4_001)]
    assert codes(drawn) == ["document.too_many_edges"]


def test_checking_costs_as_much_a_step_in_the_largest_workflow_as_in_a_small_one() -> None:
    small, large = lines_of_a_check(200) / 200, lines_of_a_check(2_000) / 2_000
    print(f"{small:.1f} lines a step with 200 steps, {large:.1f} with 2,000")
    # A look from each step at each other step would be ten times as much.
    assert large < small * 1.5


def lines_of_a_check(steps: int) -> int:
    names = [f"s{index}" for index in range(steps - 1)]
    drawn = document("start -> " + " -> ".join(names) + ", " + ", ".join(f"start -> {name}" for name in names[1:]))
    for item in drawn["nodes"]:
        item["config"] = {"a": "{{ steps.start }}", "b": "{{ steps.nobody }}"}
    lines, found = lines_run(lambda: problems(drawn))
    assert len(found) == steps + 1
    return lines


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"key": "9lives"}, "field.format", "step.key"),
        ({"key": "a-b"}, "field.format", "step.key"),
        ({"type": "http.request"}, "field.format", "step.type"),
        ({"type": 7}, "field.format", "step.type"),
        ({"name": "x" * 201}, "field.too_long", "step.name"),
        ({"config": []}, "field.type", "step.config"),
        ({"position": {"x": 0}}, "field.type", "step.position.y"),
        ({"position": {"x": 0, "y": float("nan")}}, "field.type", "step.position.y"),
        ({"parent": 7}, "field.format", "step.parent"),
        ({"parent": "nobody"}, "node.parent_missing", "step.parent"),
        ({"colour": "red"}, "field.unknown", "step.colour"),
        ({"settings": {"retries": 3}}, "field.unknown", "settings.retries"),
        ({"settings": {"disabled": "yes"}}, "field.type", "settings.disabled"),
        ({"settings": {"on_failure": "ask"}}, "field.choice", "settings.on_failure"),
        ({"settings": {"timeout_seconds": 0}}, "field.range", "settings.timeout_seconds"),
        ({"settings": {"retry": []}}, "field.type", "settings.retry"),
        ({"settings": {"retry": {"attempts": 0}}}, "field.range", "settings.retry.attempts"),
        ({"settings": {"retry": {"attempts": 2.5}}}, "field.range", "settings.retry.attempts"),
        ({"settings": {"retry": {"attempts": True}}}, "field.range", "settings.retry.attempts"),
        ({"settings": {"retry": {"jitter": 0.6}}}, "field.range", "settings.retry.jitter"),
        ({"settings": {"retry": {"strategy": "random"}}}, "field.choice", "settings.retry.strategy"),
        ({"settings": {"retry": {"cap_seconds": 10**40}}}, "field.range", "settings.retry.cap_seconds"),
    ],
)
def test_a_malformed_step_is_reported_with_the_field_and_what_it_needs(
    change: dict[str, Any], code: str, field: str
) -> None:
    drawn = with_node("start -> a", "a", **change)
    found = [problem for problem in problems(drawn) if problem.code == code]
    assert [(problem.node, problem.field) for problem in found] == [("a", field)]
    with pytest.raises(GraphRefused):
        parse(drawn)


def test_every_message_is_a_sentence_that_ends_like_one() -> None:
    drawn = document("start -> a -> b, b -> a, b:maybe -> c, ghost", a={"on_failure": "error_port"})
    node(drawn, "c")["type"] = "who.knows@1"
    node(drawn, "b")["config"] = {"x": "{{ item }} {{ steps.zzz }}"}
    found = problems(drawn)
    assert len(found) >= 6
    for problem in found:
        assert problem.message[0].isupper() or problem.message[0] == "“"
        assert problem.message.endswith((".", "?"))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@st.composite
def broken_documents(draw: st.DrawFn) -> object:
    """A sound document in which something, anywhere, was replaced, removed or added."""
    drawn: Any = document("start -> if, if:yes -> a, if:no -> b, a -> end, b -> end", a={"retry": {"attempts": 2}})
    for _ in range(draw(st.integers(1, 4))):
        place = drawn
        while True:
            if isinstance(place, dict) and place:
                key: Any = draw(st.sampled_from(sorted(place)))
            elif isinstance(place, list) and place:
                key = draw(st.integers(0, len(place) - 1))
            else:
                break
            if isinstance(place[key], dict | list) and place[key] and draw(st.integers(0, 4)):
                place = place[key]
                continue
            match draw(st.sampled_from(["replace", "remove", "add", "copy"])):
                case "replace":
                    place[key] = draw(json_values)
                case "remove":
                    del place[key]
                case "add" if isinstance(place, dict):
                    place[draw(st.text(max_size=8))] = draw(json_values)
                case "copy" if isinstance(place, list):
                    place.append(place[key])
                case _:
                    pass
            break
    return drawn


fuzz = settings(max_examples=700, deadline=None, suppress_health_check=list(HealthCheck))


def check_never_raises(drawn: object, refuse: Callable[[Any], object] = parse) -> None:
    found = problems(drawn)
    assert all(isinstance(problem, Problem) for problem in found)
    with contextlib.suppress(GraphRefused):
        refuse(drawn)
        return
    assert any(problem.severity == "error" for problem in found)


@fuzz
@given(drawn=json_values)
def test_no_json_makes_the_check_raise(drawn: object) -> None:
    check_never_raises(drawn)


@fuzz
@given(drawn=broken_documents())
def test_no_broken_workflow_makes_the_check_raise(drawn: object) -> None:
    check_never_raises(drawn)
