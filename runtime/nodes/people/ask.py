"""Ask for information: somebody fills in a form, and the run goes on with the answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runtime.sdk import (
    JSON,
    Choice,
    Context,
    EffectClass,
    Example,
    NodeType,
    PermanentError,
    Port,
    Text,
    Wait,
    field,
)
from runtime.sdk.forms import FormField, question_problems
from runtime.sdk.tasks import ANSWERED, Fact, Question, asks, facts_of, question_advice
from runtime.sdk.warned import MOST_WARNINGS, Warned, warned_of, warned_problems


class AskConfig(Question):
    title: Text = field(
        title="What is asked",
        expression=True,
        placeholder="Which cost centre pays {{ trigger.body.number }}?",
        order=1,
        min_length=1,
        max_length=300,
    )
    facts: list[Fact] = field(
        default_factory=list,
        title="Facts to answer by",
        help="Shown beside the question, each with its name.",
        widget="key-value",
        order=3,
        max_length=50,
    )
    warnings: list[Warned] = field(
        default_factory=list,
        title="Warnings",
        help="Each is shown above the facts where its condition holds, and kept with the question.",
        widget="list",
        hints={"add": "Add a warning", "new": "Warning"},
        order=4,
        max_length=MOST_WARNINGS,
    )
    fields: list[FormField] = field(
        default_factory=list,
        title="Questions",
        help="Each answer is a field of the step's result.",
        widget="form-fields",
        order=5,
        min_length=1,
        max_length=100,
    )
    people: Text = field(
        "",
        title="Who is asked",
        help="People, groups and roles of this workspace, or data that names them. Empty: everybody in the workspace.",
        widget="people",
        expression=True,
        placeholder="ines@example.com, Finance",
        order=6,
        max_length=5000,
    )


async def run(config: AskConfig, step_input: JSON, context: Context) -> Wait:
    task = await config.addressed(
        config.people,
        context,
        "form",
        title=config.title,
        facts=facts_of(config.facts),
        warnings=warned_of(config.warnings),
        choices=(Choice("out", "Send"),),
        fields=tuple(entry.model_dump(mode="python") for entry in config.fields),
    )
    if task.people and not task.able():
        raise PermanentError("Nobody is asked", "Those who are named are groups or roles that nobody is in.", "people")
    return Wait(
        "human",
        due_at_ms=task.ends_at_ms,
        output={"outcome": "late"},
        ports=("late",),
        note="Waits for an answer",
        task=task,
    )


def problems(config: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    found = question_problems(config) + warned_problems(config)
    entries = config.get("fields")
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        if isinstance(entry, Mapping) and str(entry.get("name", "")).lower() == ANSWERED:
            taken = f"“{ANSWERED}” says who answered and when. Choose another name in the data."
            found.append((f"fields[{index}].name", "taken", taken))
    return found


NODE = NodeType(
    name="people.ask",
    version=1,
    category="people",
    icon="clipboard-pen",
    title="Ask for information",
    description="Waits until somebody has filled in a form in their inbox, and goes on with the answers.",
    synonyms=("form", "question", "input", "task", "data entry", "human", "person", "inbox"),
    config=AskConfig,
    run=run,
    effect=EffectClass.PURE,
    summary=asks,
    out=(Port("out", "Answered"), Port("late", "Not in time")),
    extra_problems=problems,
    extra_warnings=question_advice,
    effect_note="Asking again puts one question into the inbox, in place of the one before.",
    examples=(
        Example(
            title="The cost centre",
            config={
                "title": "Which cost centre pays this?",
                "fields": [{"name": "cost_centre", "label": "Cost centre", "type": "text", "required": True}],
                "limit": 3,
                "unit": "days",
            },
            output={"outcome": "late"},
        ),
    ),
)
