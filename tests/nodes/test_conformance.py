# ruff: noqa: E501 (tables of cases are read row by row)
"""What every step type promises, asked of each one that the catalog finds."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, get_args

import jsonschema
import pytest

from runtime.catalog import CATALOG, load
from runtime.engine.jsonprofile import dumps, loads, normalise
from runtime.sdk import Config, EffectClass, EventView, NodeType, OwnRuns, PermanentError, Words
from runtime.sdk.connections import KINDS
from runtime.sdk.fields import Widget
from runtime.sdk.prepared import formula_places
from runtime.sdk.schema import hinted_fields
from runtime.sdk.testing import StepTestContext, run_step
from tests.engine.cost import lines_run

TYPES = CATALOG.all()
NEEDS_NETWORK = {
    "http.request@1", "email.send@1", "files.save_sftp@1", "files.save_s3@1", "files.save_folder@1",
}  # fmt: skip
#: Extras that may not be here; what they make depends on the machine's libraries.
EXTRAS = {"documents.from_html@1"}


def model_of(node_type: NodeType[Any]) -> type[Config]:
    return node_type.config


each_type = pytest.mark.parametrize("node_type", TYPES, ids=lambda entry: entry.type)


def test_the_catalog_holds_the_step_types_of_this_build() -> None:
    assert {entry.type for entry in TYPES} == {
        "trigger.webhook@1", "trigger.manual@1", "trigger.schedule@1", "data.edit_fields@1", "flow.decision@1",
        "flow.switch@1", "flow.continue_if@1", "flow.wait@1", "flow.respond@1", "flow.stop@1", "flow.fail@1",
        "flow.wait_signal@1", "flow.wait_event@1", "flow.send_event@1",
        "http.request@1", "email.send@1", "people.approval@1", "people.ask@1", "flow.for_each@1", "flow.repeat@1",
        "flow.run_workflow@1", "flow.undo_items@1", "flow.together@1", "trigger.called@1",
        "tables.find@1", "tables.save@1", "tables.add@1", "tables.delete@1", "tables.put_back@1",
        "files.read_table@1", "files.write_table@1", "documents.create@1",
        "documents.from_html@1",
        "data.reconcile@1",
        "files.save_sftp@1", "files.save_s3@1", "files.save_folder@1",
        "people.review@1",
    }  # fmt: skip
    assert [entry.type for entry in load().all()] == [entry.type for entry in TYPES]
    assert CATALOG.get("flow.nothing@1") is None


@each_type
def test_an_empty_set_up_is_checked_not_stumbled_over(node_type: NodeType[Any]) -> None:
    assert isinstance(node_type.problems({}), list)


@each_type
def test_the_spec_is_json_and_its_schema_is_a_schema(node_type: NodeType[Any]) -> None:
    spec = node_type.spec()
    assert loads(dumps(normalise(spec))) == normalise(spec)
    jsonschema.Draft202012Validator.check_schema(spec["config_schema"])
    assert "$ref" not in dumps(spec["config_schema"])
    for name in ("title", "description", "icon", "effect_note"):
        assert spec[name]
    assert spec["trigger"] is (spec["category"] == "start")


@each_type
def test_every_example_is_free_of_problems_and_fits_the_schema(node_type: NodeType[Any]) -> None:
    for example in node_type.examples:
        problems = node_type.problems(example.config)
        if node_type.type in EXTRAS and problems:
            # The machine is what is wrong, and nothing else.
            assert [code for _, code, _ in problems] == ["not_installed"]
            problems = []
        assert problems == []
        node_type.prepare(example.config)
        assert example.title


@each_type
async def test_the_first_example_gives_its_output(node_type: NodeType[Any]) -> None:
    if node_type.type in NEEDS_NETWORK | EXTRAS:
        return  # proven against real servers in the test of the step
    example = node_type.examples[0]
    context = StepTestContext(event=EventView(**example.event) if example.event else None)
    if node_type.type == "flow.fail@1":
        with pytest.raises(PermanentError, match="Order SO-1042 has no customer"):
            await run_step(node_type, example.config, data=example.context, context=context)
        return
    outcome = await run_step(node_type, example.config, data=example.context, step_input=example.input, context=context)
    if isinstance(outcome, OwnRuns):
        return  # what its runs give is proven where there are runs
    assert normalise(outcome.output) == normalise(example.output)
    assert dumps(outcome.output) == dumps(normalise(example.output))
    ports = getattr(outcome, "ports", ())
    assert set(ports) <= set(node_type.ports(example.config))


@each_type
def test_the_summary_is_one_short_line_for_any_draft(node_type: NodeType[Any]) -> None:
    words = Words({"invoice": "Create the invoice with a very long name for the customer"})
    drafts: list[Mapping[str, Any]] = [dict(example.config) for example in node_type.examples]
    drafts += [
        {},
        *({name: odd} for name in node_type.config.model_fields for odd in (None, 7, [None], {"rules": 1}, "x" * 500)),
    ]
    for draft in drafts:
        line = node_type.summarise(draft, words)
        assert 0 < len(line) <= 60
        assert "\n" not in line


@each_type
def test_any_draft_is_judged_without_a_crash(node_type: NodeType[Any]) -> None:
    oddities: tuple[Any, ...] = (
        None,
        7,
        "",
        "{{",
        "{{ nothing }}",
        [],
        [None],
        [7],
        {},
        {"rules": [None, {"rules": [7]}]},
        True,
        "x" * 9000,
    )
    for name in node_type.config.model_fields:
        for odd in oddities:
            draft = {**node_type.examples[0].config, name: odd}
            for path, code, message in node_type.problems(draft):
                assert isinstance(path, str)
                assert code
                assert message.endswith((".", "?", "”"))
            node_type.ports(draft)
            node_type.references(draft)


@each_type
def test_an_unknown_field_is_refused(node_type: NodeType[Any]) -> None:
    config = {**node_type.examples[0].config, "surprise": 1}
    assert ("surprise", "unknown_field") in [problem[:2] for problem in node_type.problems(config)]
    with pytest.raises(PermanentError):
        node_type.prepare(config).resolve(node_type.examples[0].context)


@each_type
def test_every_field_has_a_title_and_a_known_widget(node_type: NodeType[Any]) -> None:
    known = set(get_args(Widget))
    for path, hints in hinted_fields(model_of(node_type)):
        assert hints.get("widget") in known, path
        assert set(hints.get("kinds", ())) <= set(KINDS)
        for other in hints.get("showIf", {}):
            siblings = {entry[-1] for entry, _hints in hinted_fields(model_of(node_type)) if entry[:-1] == path[:-1]}
            assert other in siblings, path
    schema = node_type.config_schema
    for name, properties in schema["properties"].items():
        assert properties.get("title"), name
        assert "x-ui" in properties, name


@each_type
def test_formulas_stand_only_where_the_field_says_so(node_type: NodeType[Any]) -> None:
    for example in node_type.examples:
        marked = {text for _, text, _ in formula_places(node_type.expression_fields, (), example.config)}
        # A document's design or template has formulas of its own, which speak of its data.
        config = {name: value for name, value in example.config.items() if name not in ("design", "template")}
        assert dumps(normalise(config)).count("{{") == sum(text.count("{{") for text in marked)
        references = node_type.references(example.config)
        if marked:
            assert references
    for path, hints in hinted_fields(model_of(node_type)):
        if hints.get("widget") in ("textarea", "email-list", "conditions", "json") and node_type.category != "start":
            assert hints.get("expression"), path


@each_type
def test_effects_and_ways_of_running_agree(node_type: NodeType[Any]) -> None:
    effect = node_type.effect_of(node_type.examples[0].config)
    assert isinstance(effect, EffectClass)
    assert effect is not EffectClass.QUERYABLE or node_type.probe is not None
    if inspect.iscoroutinefunction(node_type.run):
        assert not node_type.inline
    if effect.writes:
        assert inspect.iscoroutinefunction(node_type.run)
    ids = [port.id for port in node_type.out]
    assert len(ids) == len(set(ids))
    assert not {"error", "undo", "in"} & set(ids)


def test_a_broken_formula_is_a_problem_of_its_field() -> None:
    node_type = CATALOG.get("data.edit_fields@1")
    assert node_type is not None
    found = node_type.problems({"fields": [{"name": "a", "value": "{{ uper(trigger.x) }}"}]})
    assert [(path, code) for path, code, _message in found] == [("fields[0].value", "formula")]
    assert "Did you mean “upper”" in found[0][2]


def test_summaries_read_as_people_speak() -> None:
    document = {
        "nodes": [
            {"id": "1", "key": "invoice", "name": "Invoice", "type": "http.request@1", "config": {"method": "GET", "url": "https://erp.example.com/i"}},
            {"id": "2", "key": "big", "name": "Big?", "type": "flow.decision@1", "config": {"conditions": {"match": "all", "rules": [
                {"left": "{{ steps.invoice.total }}", "op": "gt", "right": "10000.00", "type": "number"}]}}},
            {"id": "3", "key": "x", "type": "erp.book@9", "config": {}},
            {"id": "4", "key": "y", "type": "flow.switch@1", "config": None},
            "nonsense",
        ]
    }  # fmt: skip
    assert CATALOG.summaries(document) == {
        "1": "GET erp.example.com/i",
        "2": "Invoice › Total is more than 10,000.00",
        "3": "Missing: erp.book@9",
    }


def test_preparing_once_makes_each_run_cheap() -> None:
    node_type = CATALOG.get("data.edit_fields@1")
    assert node_type is not None
    fixed = node_type.prepare({"fields": [{"name": "a", "value": 1}]})
    assert fixed.resolve({}) is fixed.resolve({})
    example = node_type.examples[0]
    prepared = node_type.prepare(example.config)
    prepared.resolve(example.context)
    lines, _ = lines_run(lambda: prepared.resolve(example.context))
    assert lines < 300
    assert example.config["fields"][1]["value"] == "{{ trigger.body.total }}"  # type: ignore[index,call-overload]


def test_a_field_that_is_not_on_the_form_is_as_if_it_were_not_stored() -> None:
    node_type = CATALOG.get("http.request@1")
    assert node_type is not None
    left_over = {"body_type": "json", "json_body": {"a": "{{ uper( }}"}, "raw_body": "{{ trigger.absent }}"}
    prepared = node_type.prepare({"method": "GET", "url": "https://erp.example.com/i", **left_over})
    assert prepared.resolve({"trigger": {}}).body_type == "none"
    shown = node_type.prepare(
        {"method": "POST", "url": "https://erp.example.com/i", **left_over, "json_body": {"a": 1}}
    )
    assert shown.resolve({"trigger": {}}).json_body == {"a": 1}
    with pytest.raises(PermanentError):
        node_type.prepare({"method": "POST", "url": "https://erp.example.com/i", **left_over})


def test_what_is_not_on_the_form_blocks_no_publish_and_needs_no_step() -> None:
    call, switch = CATALOG.get("http.request@1"), CATALOG.get("flow.switch@1")
    assert call is not None
    assert switch is not None
    left_over = {"body_type": "none", "json_body": {"a": "{{ uper( }}", "b": "{{ steps.gone.x }}"}}
    config = {"method": "POST", "url": "https://erp.example.com/i", **left_over}
    assert call.problems(config) == []
    assert call.references(config) == []
    assert [code for _path, code, _message in call.problems({**config, "body_type": "json"})] == ["formula"]
    case = {
        "id": "a",
        "name": "A",
        "value": "x",
        "conditions": {"rules": [{"left": "{{ uper( }}", "op": "sounds_like"}]},
    }
    assert switch.problems({"value": "{{ trigger.v }}", "cases": [case]}) == []
    assert switch.problems({"mode": "rules", "cases": [case]}) != []


def test_connection_kinds_are_described_and_checked() -> None:
    for kind in KINDS.values():
        spec = kind.spec()
        jsonschema.Draft202012Validator.check_schema(spec["fields"])
        dumps(normalise(spec))
        assert kind.secret_fields or kind.kind == "folder"
        assert any(code == "required" for _path, code, _message in kind.problems({})) or kind.kind == "http_header"
    assert (
        KINDS["smtp"].problems({"host": "m.example.com", "from_address": "a@example.com", "port": 70000})[0][0]
        == "port"
    )
