"""For each: the steps inside, once for every entry of a list, or of what is read a page at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from runtime.sdk import (
    JSON,
    Context,
    EffectClass,
    Example,
    NodeType,
    OwnRuns,
    PermanentError,
    Words,
    field,
)
from runtime.sdk.advice import address_advice, address_problems, secret_pairs
from runtime.sdk.batch_settings import BatchSettings
from runtime.sdk.calls import REFUSED_HEADERS
from runtime.sdk.headers import check_header
from runtime.sdk.hours import HoursSettings, hours_of, hours_problems
from runtime.sdk.key_settings import KeySettings
from runtime.sdk.list_pages import ListPages
from runtime.sdk.review_pages import review_pages
from runtime.sdk.source_settings import DataTableSettings, FileSettings, PagesSettings
from runtime.sdk.sources import Paged

_MOST_AT_A_TIME = 100
_MOST_ITEMS = 100_000
_HOURS = set(HoursSettings.model_fields)


class ForEachConfig(FileSettings, PagesSettings, DataTableSettings, BatchSettings, HoursSettings, KeySettings):
    source: Literal["list", "file", "table", "pages", "review"] = field(
        "list",
        title="Where the entries come from",
        help="Files, tables and pages are read bit by bit, each when it is needed.",
        widget="choice",
        options=(
            ("list", "A list of this workflow"),
            ("file", "The rows of a file (CSV, Excel)"),
            ("table", "The rows of a data table"),
            ("pages", "Another system, page by page (HTTP)"),
            ("review", "The rows of a list that was reviewed"),
        ),
        order=0,
    )
    items: list[Any] = field(
        default_factory=list,
        required=True,
        # A formula may well come to no entries at all, of which none has to be done.
        hints={"mayBeEmpty": True},
        show_if={"source": ["list"]},
        title="The list",
        help="Each entry goes through the steps inside, as “item”; “index” counts from 0.",
        widget="json",
        expression=True,
        placeholder="{{ trigger.body.lines }}",
        order=1,
    )
    reviewed: Any = field(
        None,
        title="The reviewed list",
        help="What “Review a list” gives as “accepted”. Each row goes through the steps inside, as “item”.",
        widget="json",
        expression=True,
        required=True,
        placeholder="{{ steps.review.accepted }}",
        show_if={"source": ["review"]},
        order=1,
    )
    at_a_time: int = field(
        1,
        title="At a time",
        help="With 1 they are done one after another, in the order of the list.",
        widget="number",
        order=2,
        ge=1,
        le=_MOST_AT_A_TIME,
    )
    stop: Literal["first", "number", "percent", "never"] = field(
        "first",
        title="If some of them fail",
        help="Those that are under way are always done to their end.",
        widget="choice",
        options=(
            ("first", "Stop at the first one"),
            ("number", "Stop when too many have failed"),
            ("percent", "Stop when too large a part has failed"),
            ("never", "Do all of them anyway"),
        ),
        order=3,
    )
    may_fail: int = field(
        10,
        title="So many may fail",
        widget="number",
        show_if={"stop": ["number"]},
        order=4,
        ge=1,
        le=_MOST_ITEMS,
    )
    percent: int = field(
        5,
        title="So many in a hundred may fail",
        widget="number",
        show_if={"stop": ["percent"]},
        order=5,
        ge=1,
        le=99,
    )
    try_first: int = field(
        0,
        title="Try so many first",
        help="The others begin only when all of these went well. One of these that fails stops the step, whatever is "
        "said above. 0: begin with all.",
        widget="number",
        advanced=True,
        order=5,
        ge=0,
        le=1_000,
    )
    collect: bool = field(
        True,
        title="Collect the results",
        help="What the last step inside gave, in the order of the list. Switch it off for long lists.",
        widget="toggle",
        order=6,
    )
    label: str = field(
        "",
        title="What people call one of them",
        placeholder="{{ item.number }}",
        help="Shown with each item, and what people search it by.",
        deferred=True,
        advanced=True,
        order=7,
        max_length=2000,
    )
    most_items: int = field(
        10_000,
        title="At most",
        help="A longer list, file or table is refused before the first one is begun. Of pages, these are done "
        "before the step fails.",
        widget="number",
        advanced=True,
        order=8,
        ge=1,
        le=_MOST_ITEMS,
    )


def run(config: ForEachConfig, step_input: JSON, context: Context) -> OwnRuns:
    if config.source == "pages":
        return _paged(config)
    if config.source == "file":
        return _filed(config)
    if config.source in ("table", "review"):
        return _kept_here(config)
    count = len(config.items)
    if count > config.most_items:
        raise PermanentError(
            "The list is too long",
            f"It has {count:,} entries, and this step takes at most {config.most_items:,}. Allow more, or split it.",
            "too_many_items",
        )
    if config.item_key:
        return _listed(config)
    return OwnRuns(
        "items",
        items=tuple(config.items),
        at_a_time=config.at_a_time,
        may_fail=_may_fail(config, count),
        collect=config.collect,
        manifest=config.manifest,
        tried_first=config.try_first,
        hours=hours_of(config.model_dump(include=_HOURS)),
    )


def _listed(config: ForEachConfig) -> OwnRuns:
    paged = Paged(
        ListPages(tuple(config.items)),
        most_pages=_MOST_ITEMS,
        most_items=config.most_items,
        keyed=True,
        twice=config.on_twice,
        done_before=config.on_done_before,
        total_with_twice=True,
        percent=config.percent if config.stop == "percent" else None,
    )
    return _read_by(config, paged)


def _filed(config: ForEachConfig) -> OwnRuns:
    paged = Paged(
        config.rows_of_file(most=config.most_items),
        # How many there are is known, and limited, before the first one is begun.
        most_pages=_MOST_ITEMS,
        most_items=config.most_items,
        keyed=bool(config.key_column),
        twice=config.on_twice,
        done_before=config.on_done_before,
        key_column=config.key_column,
        total_with_twice=True,
        percent=config.percent if config.stop == "percent" else None,
    )
    return _read_by(config, paged)


def _kept_here(config: ForEachConfig) -> OwnRuns:
    most = config.most_items
    paged = Paged(
        review_pages(config.reviewed, most=most) if config.source == "review" else config.rows_of_table(most=most),
        most_pages=_MOST_ITEMS,
        most_items=config.most_items,
        keyed=bool(config.item_key),
        twice=config.on_twice,
        done_before=config.on_done_before,
        total_with_twice=True,
        percent=config.percent if config.stop == "percent" else None,
    )
    return _read_by(config, paged)


def _paged(config: ForEachConfig) -> OwnRuns:
    paged = Paged(
        config.pages_of_answers(),
        config.most_pages,
        config.most_items,
        keyed=bool(config.item_key),
        twice=config.on_twice,
        done_before=config.on_done_before,
    )
    return _read_by(config, paged)


def _read_by(config: ForEachConfig, paged: Paged) -> OwnRuns:
    return OwnRuns(
        "items",
        at_a_time=config.at_a_time,
        may_fail=_may_fail(config, 0),
        collect=config.collect,
        paged=paged,
        manifest=config.manifest,
        tried_first=config.try_first,
        hours=hours_of(config.model_dump(include=_HOURS)),
    )


def problems(config: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    return [*hours_problems(config), *_problems_of_pages(config)]


def _problems_of_pages(config: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    if config.get("source") != "pages":
        return []
    found = address_problems("url", "Address of the first page", config.get("url"))
    if config.get("stop") == "percent":
        says = "How many hundred there are is not known while pages are read: say how many may fail."
        found.append(("stop", "percent_of_pages", says))
    if config.get("next_by") == "offset" and config.get("size_name") and not config.get("page_size"):
        found.append(("page_size", "size_missing", "Say how many entries are on a page: its parameter needs a number."))
    for index, header in enumerate(config["headers"] if isinstance(config.get("headers"), list) else ()):
        if isinstance(header, Mapping) and isinstance(header.get("name"), str) and header["name"]:
            try:
                check_header(header["name"], "", REFUSED_HEADERS)
            except ValueError as error:
                found.append((f"headers[{index}].name", "header", f"{error}."))
    return found


def warnings(config: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    if config.get("source") != "pages":
        return []
    return [
        *address_advice(config.get("url"), with_connection=bool(config.get("connection"))),
        *secret_pairs("headers", config.get("headers")),
        *secret_pairs("query", config.get("query")),
    ]


def effect(config: Mapping[str, Any]) -> EffectClass:
    return EffectClass.READ if config.get("source") in ("pages", "file", "table", "review") else EffectClass.PURE


def _may_fail(config: ForEachConfig, count: int) -> int | None:
    match config.stop:
        case "first":
            return 0
        case "number":
            return config.may_fail
        case "percent":
            return count * config.percent // 100
        case "never":
            return None


def summary(config: Mapping[str, Any], words: Words) -> str:
    items = config.get("items")
    if config.get("source") == "pages":
        return f"{words.value(config['url'])}, page by page{_together(config)}" if config.get("url") else ""
    if config.get("source") == "file":
        return _file_words(config, words)
    if config.get("source") == "table":
        return f"the rows of a data table{_together(config)}" if config.get("table") else ""
    if config.get("source") == "review":
        given = config.get("reviewed")
        return f"the rows of {words.value(given)}{_together(config)}" if isinstance(given, str) and given else ""
    if not items:
        return ""
    what = f"{len(items)} entries" if isinstance(items, list) else words.value(items)
    return f"{what}{_together(config)}"


def _together(config: Mapping[str, Any]) -> str:
    at_a_time = config.get("at_a_time", 1)
    return "" if at_a_time == 1 else f", {at_a_time} at a time"


def _file_words(config: Mapping[str, Any], words: Words) -> str:
    given = config.get("file")
    if not given:
        return ""
    name = given.get("name") if isinstance(given, Mapping) else words.value(given)
    return f"the rows of {name}{_together(config)}"


NODE = NodeType(
    name="flow.for_each",
    version=1,
    category="loop",
    icon="repeat",
    title="For each",
    description="Does the steps inside once for every entry of a list, row of a file or row of a table. Each has its "
    "own tries, undo and place in the list of runs.",
    synonyms=("loop", "iterate", "items", "list", "every", "rows", "lines", "map", "schleife", "csv", "excel", "file"),
    config=ForEachConfig,
    run=run,
    effect=effect,
    extra_problems=problems,
    extra_warnings=warnings,
    effect_note="The steps inside have their own.",
    summary=summary,
    inline=True,
    examples=(
        Example(
            title="Every line of an order",
            config={"items": "{{ trigger.body.lines }}"},
            context={"trigger": {"body": {"lines": [{"sku": "A-1", "quantity": 2}, {"sku": "B-7", "quantity": 1}]}}},
            output={"total": 2, "done": 2, "failed": 0, "results": [{"reserved": True}, {"reserved": True}]},
        ),
    ),
)
