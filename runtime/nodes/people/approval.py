"""Ask for approval: one or several people say yes or no."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from runtime.sdk import (
    JSON,
    Context,
    EffectClass,
    Example,
    NodeType,
    Number,
    PermanentError,
    Port,
    Text,
    Wait,
    field,
)
from runtime.sdk.labels import LONGEST_LABEL, choice, label_problems
from runtime.sdk.tasks import Fact, Question, asks, facts_of, question_advice, requester_of
from runtime.sdk.warned import MOST_WARNINGS, Warned, warned_of, warned_problems


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
    warnings: list[Warned] = field(
        default_factory=list,
        title="Warnings",
        help="Each is shown above the facts where its condition holds, and kept with the question.",
        widget="list",
        hints={"add": "Add a warning", "new": "Warning"},
        order=4,
        max_length=MOST_WARNINGS,
    )
    amount: Text = field(
        "", title="Amount", expression=True, placeholder="{{ trigger.body.total }}", order=5, max_length=60
    )
    currency: Text = field("", title="Currency", expression=True, placeholder="EUR", order=6, max_length=10)
    people: Text = field(
        "",
        title="Who decides",
        help="People, groups and roles of this workspace, or data that names them. Empty: everybody in the workspace.",
        widget="people",
        expression=True,
        placeholder="ines@example.com, Finance",
        order=7,
        max_length=5000,
    )
    rule: Literal["any", "all", "number"] = field(
        "any",
        title="How many have to approve",
        widget="choice",
        options=(("any", "One of them"), ("all", "All of them"), ("number", "So many of them")),
        order=8,
    )
    number: Number = field(2, title="So many", widget="number", show_if={"rule": ["number"]}, order=9, ge=1, le=100)
    comment: Literal["never", "reject", "always"] = field(
        "reject",
        title="A comment is needed",
        widget="choice",
        options=(("never", "Never"), ("reject", "For a no"), ("always", "Always")),
        order=10,
    )
    approve_label: Text = field(
        "",
        title="Name of the button to approve",
        help="For example: Release the payment. Empty: Approve, in the language of whoever reads it.",
        order=11,
        max_length=LONGEST_LABEL,
    )
    reject_label: Text = field(
        "",
        title="Name of the button to reject",
        help="For example: Send it back. Empty: Reject, in the language of whoever reads it.",
        order=12,
        max_length=LONGEST_LABEL,
    )
    not_requester: bool = field(
        False,
        title="Whoever asks for it may not decide",
        help="Not even if they are in a group that is asked. Nor may whoever gave the run other settings or data.",
        widget="toggle",
        order=13,
    )
    requester: Text = field(
        "",
        title="Who asks for it",
        help="An e-mail address. Empty: whoever started the run.",
        widget="email-list",
        expression=True,
        placeholder="{{ trigger.body.requested_by }}",
        show_if={"not_requester": [True]},
        order=14,
        max_length=254,
    )
    admins: bool = field(
        False,
        title="Admins may decide too",
        help="If nobody who is asked can. The record says that it was an admin.",
        widget="toggle",
        advanced=True,
        order=15,
    )


async def run(config: ApprovalConfig, step_input: JSON, context: Context) -> Wait:
    if config.rule == "all" and not config.people.strip():
        raise PermanentError("Nobody is named", "All of them have to approve: say who they are.", "people")
    task = await config.addressed(
        config.people,
        context,
        "approval",
        title=config.title,
        facts=facts_of(config.facts),
        warnings=warned_of(config.warnings),
        amount=config.amount.strip() or None,
        currency=config.currency.strip(),
        everyone=config.rule == "all",
        admins=config.admins,
        barred=await requester_of(config.requester, context) if config.not_requester else (),
        choices=(
            choice("approved", "Approve", config.approve_label, comment=config.comment == "always"),
            choice("rejected", "Reject", config.reject_label, comment=config.comment != "never"),
        ),
    )
    able = task.able()
    needs = {"any": 1, "all": able, "number": int(config.number)}[config.rule]
    if task.people and (needs > able or not able):
        raise PermanentError(
            "Too few are asked", f"{max(needs, 1)} have to approve, and only {able} are asked who may decide.", "people"
        )
    return Wait(
        "human",
        due_at_ms=task.ends_at_ms,
        output={"outcome": "late", "comment": None, "decisions": []},
        ports=("late",),
        note="Waits for a decision",
        task=replace(task, needs=needs),
    )


def problems(config: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    found = warned_problems(config)
    if config.get("rule") == "all" and not str(config.get("people") or "").strip():
        found.append(("people", "required", "All of them have to approve: say who they are."))
    return found + label_problems(config)


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
    out=(Port("approved", "Approved"), Port("rejected", "Rejected"), Port("late", "Not in time")),
    extra_problems=problems,
    extra_warnings=question_advice,
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
