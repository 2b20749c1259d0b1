"""Ask for approval: one or several people say yes or no."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from runtime.sdk import (
    JSON,
    Choice,
    Context,
    EffectClass,
    Example,
    NodeType,
    Number,
    PermanentError,
    Port,
    Task,
    Text,
    Wait,
    field,
    people_of,
)
from runtime.sdk.tasks import Fact, Question, asks, facts_of


class ApprovalConfig(Question):
    title: Text = field(
        title="What is to be approved",
        expression=True,
        placeholder="Invoice {{ trigger.body.number }} of {{ trigger.body.supplier }}",
        order=1,
        min_length=1,
        max_length=300,
    )
    facts: list[Fact] = field(
        default_factory=list,
        title="Facts to decide by",
        help="Shown beside the question, each with its name.",
        widget="key-value",
        order=3,
        max_length=50,
    )
    amount: Text = field(
        "", title="Amount", expression=True, placeholder="{{ trigger.body.total }}", order=4, max_length=60
    )
    currency: Text = field("", title="Currency", expression=True, placeholder="EUR", order=5, max_length=10)
    people: Text = field(
        "",
        title="Who decides",
        help="E-mail addresses with commas between them. Empty: everybody in the workspace.",
        widget="email-list",
        expression=True,
        placeholder="ines@example.com",
        order=6,
        max_length=5000,
    )
    rule: Literal["any", "all", "number"] = field(
        "any",
        title="How many have to approve",
        widget="choice",
        options=(("any", "One of them"), ("all", "All of them"), ("number", "So many of them")),
        order=7,
    )
    number: Number = field(2, title="So many", widget="number", show_if={"rule": ["number"]}, order=8, ge=1, le=100)
    comment: Literal["never", "reject", "always"] = field(
        "reject",
        title="A comment is needed",
        widget="choice",
        options=(("never", "Never"), ("reject", "For a no"), ("always", "Always")),
        order=9,
    )


def run(config: ApprovalConfig, step_input: JSON, context: Context) -> Wait:
    people = people_of(config.people)
    if config.rule == "all" and not people:
        raise PermanentError("Nobody is named", "All of them have to approve: say who they are.", "people")
    needs = {"any": 1, "all": len(people), "number": int(config.number)}[config.rule]
    if people and needs > len(people):
        raise PermanentError(
            "Too few are asked", f"{needs} have to approve, and only {len(people)} are named.", "people"
        )
    return Wait(
        "human",
        due_at_ms=config.due_at_ms(context.now_ms),
        output={"outcome": "late", "comment": None, "decisions": []},
        ports=("late",),
        note="Waits for a decision",
        task=Task(
            kind="approval",
            title=config.title,
            text=config.text,
            facts=facts_of(config.facts),
            amount=config.amount.strip() or None,
            currency=config.currency.strip(),
            people=people,
            needs=needs,
            choices=(
                Choice("approved", "Approve", comment=config.comment == "always"),
                Choice("rejected", "Reject", comment=config.comment != "never"),
            ),
        ),
    )


def problems(config: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    if config.get("rule") == "all" and not str(config.get("people") or "").strip():
        return [("people", "required", "All of them have to approve: say who they are.")]
    return []


NODE = NodeType(
    name="people.approval",
    version=1,
    category="people",
    icon="stamp",
    title="Ask for approval",
    description="Waits until people say yes or no in their inbox. It holds no worker and survives restarts.",
    synonyms=("approval", "approve", "reject", "decision", "sign off", "four eyes", "human", "person", "inbox"),
    config=ApprovalConfig,
    run=run,
    effect=EffectClass.PURE,
    summary=asks,
    inline=True,
    out=(Port("approved", "Approved"), Port("rejected", "Rejected"), Port("late", "Not in time")),
    extra_problems=problems,
    effect_note="Asking again puts one question into the inbox, in place of the one before.",
    examples=(
        Example(
            title="A large invoice",
            config={
                "title": "Invoice R-2026-0417 of Brinkmann Papier",
                "amount": "13412.80",
                "currency": "EUR",
                "facts": [{"name": "Order", "value": "PO-771"}],
                "limit": 2,
                "unit": "days",
            },
            output={"outcome": "late", "comment": None, "decisions": []},
        ),
    ),
)
