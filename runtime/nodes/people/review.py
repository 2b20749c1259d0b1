"""Review a list: people look through prepared rows, mend and reject some, and a second person releases the rest."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any, Literal

from runtime.sdk import (
    JSON,
    Context,
    EffectClass,
    Example,
    NodeType,
    PermanentError,
    Port,
    Result,
    Text,
    Wait,
    field,
    people_of,
)
from runtime.sdk.reviews import Judge, ReviewColumn, ReviewRule, StagedList, rule_problems
from runtime.sdk.source_settings import DataTableSettings, FileSettings
from runtime.sdk.sources import Source
from runtime.sdk.tasks import Fact, Question, asks, facts_of, question_advice, requester_of

_TOTALS = "Control totals"
_PEOPLE = "Who reviews, and who releases"
_PAGE = 500
_MOST_ROWS = 100_000


class ReviewConfig(FileSettings, DataTableSettings, Question):
    title: Text = field(
        title="What is to be reviewed",
        expression=True,
        placeholder="Payments of {{ trigger.date }}",
        order=1,
        min_length=1,
        max_length=300,
    )
    facts: list[Fact] = field(
        default_factory=list,
        title="Facts to decide by",
        help="Shown above the list, each with its name.",
        widget="key-value",
        order=3,
        max_length=50,
    )
    source: Literal["list", "file", "table"] = field(
        "list",
        title="Where the rows come from",
        widget="choice",
        options=(
            ("list", "A list of this workflow"),
            ("file", "The rows of a file (CSV, Excel)"),
            ("table", "The rows of a data table"),
        ),
        order=4,
    )
    items: list[Any] = field(
        default_factory=list,
        required=True,
        hints={"mayBeEmpty": True},
        show_if={"source": ["list"]},
        title="The list",
        help="Each entry is a row, an object with the names of the columns. What a For each has prepared fits: its "
        "“results”.",
        widget="json",
        expression=True,
        placeholder="{{ steps.each.results }}",
        order=5,
    )
    columns: list[ReviewColumn] = field(
        default_factory=list,
        title="Columns to show",
        help="In this order. A row may have more than is shown: it goes on with all it has.",
        widget="list",
        hints={"add": "Add a column"},
        order=6,
        min_length=1,
        max_length=30,
    )
    rules: list[ReviewRule] = field(
        default_factory=list,
        title="What makes a row a problem",
        help="Rows with a problem come first. Cells that are empty and may not be, or are no number or date, are found "
        "without a rule.",
        widget="list",
        hints={"add": "Add a rule"},
        order=7,
        max_length=20,
    )
    currency: Text = field(
        "",
        title="Currency",
        help="The name of the column it stands in, or one for all rows. Amounts of different currencies are never "
        "added up.",
        placeholder="EUR",
        expression=True,
        group=_TOTALS,
        order=40,
        max_length=100,
    )
    expected_count: Any = field(
        None,
        title="So many there have to be",
        placeholder="{{ trigger.count }}",
        help="As a letter or another list says. Shown beside what was counted, red where it differs.",
        widget="number",
        expression=True,
        group=_TOTALS,
        order=41,
    )
    expected_amount: Any = field(
        None,
        title="And worth so much together",
        placeholder="{{ trigger.total }}",
        help='A number; of several currencies one for each: {"EUR": 1200.50, "CZK": 800}. Rejected rows count: they '
        "were there.",
        widget="json",
        expression=True,
        group=_TOTALS,
        order=42,
    )
    must_agree: bool = field(
        False,
        title="Nothing is handed over while they differ",
        help="Otherwise whoever hands the list over has to say why they do.",
        widget="toggle",
        group=_TOTALS,
        order=43,
    )
    people: Text = field(
        "",
        title="Who reviews",
        help="People, groups and roles of this workspace, or data that names them. Empty: everybody in the workspace.",
        widget="people",
        expression=True,
        placeholder="ines@example.com, Accounts payable",
        group=_PEOPLE,
        order=45,
        max_length=5000,
    )
    releasers: Text = field(
        "",
        title="Who releases",
        help="Empty: everybody in the workspace.",
        widget="people",
        expression=True,
        placeholder="omar@example.com, Treasury",
        group=_PEOPLE,
        order=46,
        max_length=5000,
    )
    four_eyes: bool = field(
        True,
        title="A second person releases it",
        help="Whoever changed a row, accepted or rejected one, or handed the list over may not release it. No role "
        "stands above this.",
        widget="toggle",
        group=_PEOPLE,
        order=47,
    )
    not_requester: bool = field(
        False,
        title="Whoever asks for it may not release it either",
        widget="toggle",
        group=_PEOPLE,
        order=48,
    )
    requester: Text = field(
        "",
        title="Who asks for it",
        help="An e-mail address. Empty: whoever started the run.",
        widget="email-list",
        expression=True,
        placeholder="{{ trigger.body.requested_by }}",
        show_if={"not_requester": [True]},
        group=_PEOPLE,
        order=49,
        max_length=254,
    )
    link: Literal["sign_in"] = field(
        "sign_in",
        title="The link in a mail",
        help="A list is released on its own page, by somebody who has signed in.",
        widget="choice",
        options=(("sign_in", "leads to the list, after signing in"),),
        group="Mail",
        advanced=True,
        order=51,
    )
    most_rows: int = field(
        20_000,
        title="At most so many rows",
        help="A longer list is refused before anybody is asked.",
        widget="number",
        advanced=True,
        order=60,
        ge=1,
        le=_MOST_ROWS,
    )


async def run(config: ReviewConfig, step_input: JSON, context: Context) -> Wait | Result:
    releasers = await context.people(people_of(config.releasers))
    barred = await requester_of(config.requester, context) if config.not_requester else ()
    if config.four_eyes:
        # Who gave the run other rows had a hand in them.
        barred = tuple(dict.fromkeys((*barred, *await context.changed_by())))
    judge = Judge.of(config)
    spec: dict[str, JSON] = {
        "four_eyes": config.four_eyes,
        "releasers": [one.token for one in releasers],
        "barred": list(barred),
        "expected_count": config.expected_count,
        "expected_amount": config.expected_amount,
        "must_agree": config.must_agree,
    }
    task = await config.addressed(config.people, context, "review", title=config.title, facts=facts_of(config.facts))
    if task.people and not task.able():
        raise PermanentError("Nobody is asked", "Those who are named are groups or roles that nobody is in.", "people")
    review = await context.reviews.stage(judge, {**spec, "reviewers": list(task.people)})
    count = 0
    async for rows in _pages(config, context):
        if count + len(rows) > config.most_rows:
            raise _too_long(config.most_rows)
        await context.reviews.add(review, judge, rows, count)
        count += len(rows)
    staged = await context.reviews.staged(review)
    if not staged.rows:
        return Result({"outcome": "empty", "accepted_count": 0, "rejected_count": 0}, ("empty",), "No rows")
    amount, currency = _worth(judge, staged)
    return Wait(
        "human",
        due_at_ms=task.ends_at_ms,
        output={"outcome": "late", "accepted_count": 0, "rejected_count": 0},
        ports=("late",),
        note=f"{staged.rows:,} rows wait for a review",
        task=replace(task, review=str(staged.id), amount=amount, currency=currency),
    )


async def _pages(config: ReviewConfig, context: Context) -> AsyncIterator[list[Any]]:
    """The rows, so many at a time; of a file or a table no more than that is ever in memory."""
    if config.source == "list":
        if len(config.items) > config.most_rows:
            raise _too_long(config.most_rows)
        for start in range(0, len(config.items), _PAGE):
            yield config.items[start : start + _PAGE]
        return
    source: Source
    if config.source == "file":
        source = config.rows_of_file(most=config.most_rows)
    else:
        source = config.rows_of_table(most=config.most_rows)
    cursor: JSON = None
    while True:
        page = await source.read_page(cursor, context)
        yield list(page.items)
        cursor = page.next
        if cursor is None:
            return


def _too_long(most: int) -> PermanentError:
    return PermanentError(
        "The list is too long", f"It has more than {most:,} rows. Allow more in the step, or split it.", "too_many_rows"
    )


def _worth(judge: Judge, staged: StagedList) -> tuple[JSON, str]:
    """What the inbox shows of its worth: the sum, where there is one currency."""
    if judge.worth is None or len(staged.totals) != 1:
        return None, ""
    [(currency, (_, amount))] = staged.totals.items()
    return str(amount), currency


def problems(config: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    return rule_problems(config)


def advice(config: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    found = question_advice(config)
    columns = config.get("columns") or ()
    expects = config.get("expected_amount") not in (None, "") or config.get("must_agree")
    if expects and not any(isinstance(one, Mapping) and one.get("total") for one in columns):
        text = "No column says what a row is worth, so there is no sum to compare. Switch it on in one of the columns."
        found.append(("expected_amount", "no_total", text))
    if not config.get("four_eyes", True):
        found.append(("four_eyes", "one_person", "One person alone can change the list and release it."))
    return found


NODE = NodeType(
    name="people.review",
    version=1,
    category="people",
    icon="list-checks",
    title="Review a list",
    description="Shows prepared rows to people, with totals and problems. They mend, accept and reject; a second "
    "person releases; only then the run goes on with what was accepted.",
    synonyms=("review", "stage", "commit", "release", "four eyes", "control totals", "batch", "payment run", "import"),
    config=ReviewConfig,
    run=run,
    effect=EffectClass.PURE,
    summary=asks,
    out=(
        Port("released", "Released"),
        Port("rejected", "Rejected"),
        Port("empty", "No rows"),
        Port("late", "Not in time"),
    ),
    extra_problems=problems,
    extra_warnings=advice,
    effect_note="Asking again sets the list down anew, in place of the one before.",
    examples=(
        Example(
            title="Payments to suppliers",
            config={
                "title": "Payments of 30 November",
                "items": [{"supplier": "Brinkmann Papier", "amount": "13412.80", "currency": "EUR"}],
                "columns": [
                    {"name": "supplier", "label": "Supplier", "required": True},
                    {"name": "amount", "label": "Amount", "type": "amount", "editable": True, "total": True},
                ],
                "rules": [{"name": "Over the limit", "when": "{{ item.amount > 5000 }}", "level": "warning"}],
                "currency": "currency",
                "limit": 2,
                "unit": "days",
            },
            output={"outcome": "late", "accepted_count": 0, "rejected_count": 0},
        ),
    ),
)
