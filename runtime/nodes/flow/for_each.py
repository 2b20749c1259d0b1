"""For each: the steps inside, once for every entry of a list, or of a list that is read a page at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from runtime.sdk import (
    JSON,
    Config,
    Context,
    EffectClass,
    Example,
    NodeType,
    OwnRuns,
    PermanentError,
    Text,
    Words,
    field,
)
from runtime.sdk.advice import address_advice, address_problems, secret_pairs
from runtime.sdk.calls import REFUSED_HEADERS
from runtime.sdk.fields import as_text
from runtime.sdk.headers import check_header
from runtime.sdk.http_pages import HttpPages
from runtime.sdk.sources import Paged

_MOST_AT_A_TIME = 100
_MOST_ITEMS = 100_000


_PAGES = {"source": ["pages"]}


class Pair(Config):
    name: str = field(title="Name", order=1, min_length=1, max_length=200)
    value: Any = field("", title="Value", expression=True, order=2)


class ForEachConfig(Config):
    source: Literal["list", "pages"] = field(
        "list",
        title="Where the entries come from",
        help="Pages are read one after another, each when it is needed.",
        widget="choice",
        options=(("list", "A list of this workflow"), ("pages", "Another system, page by page (HTTP)")),
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
    url: Text = field(
        "",
        title="Address of the first page",
        help="Begins with https:// or http://. It is read with GET.",
        widget="url",
        expression=True,
        required=True,
        placeholder="https://api.example.com/orders",
        show_if=_PAGES,
        group="Pages",
        order=10,
        max_length=8000,
    )
    connection: str = field(
        "",
        title="Sign in with",
        help="A connection keeps the password or token; it is never shown again.",
        widget="connection",
        kinds=("http_basic", "http_bearer", "http_header", "http_query"),
        show_if=_PAGES,
        group="Pages",
        order=11,
        max_length=100,
    )
    query: list[Pair] = field(
        default_factory=list,
        title="Query",
        help="Added to the address after the question mark.",
        widget="key-value",
        show_if=_PAGES,
        group="Pages",
        order=12,
        max_length=200,
    )
    headers: list[Pair] = field(
        default_factory=list,
        title="Headers",
        widget="key-value",
        show_if=_PAGES,
        group="Pages",
        order=13,
        max_length=100,
    )
    list_path: str = field(
        "",
        title="Where the list stands in the answer",
        help="Names with dots between. Leave it empty where the answer is the list.",
        placeholder="data.orders",
        show_if=_PAGES,
        group="Pages",
        order=14,
        max_length=200,
    )
    next_by: Literal["url", "page", "offset", "cursor", "link"] = field(
        "page",
        title="How the next page is found",
        widget="choice",
        options=(
            ("page", "By its number"),
            ("offset", "By how many came before (offset and limit)"),
            ("cursor", "By a cursor in the answer"),
            ("url", "By its address in the answer"),
            ("link", "By the answer's Link header"),
        ),
        show_if=_PAGES,
        group="Pages",
        order=15,
    )
    page_name: str = field(
        "page",
        title="Parameter with the page's number",
        required=True,
        show_if={"source": ["pages"], "next_by": ["page"]},
        group="Pages",
        order=16,
        max_length=100,
    )
    first_page: int = field(
        1,
        title="Number of the first page",
        widget="number",
        show_if={"source": ["pages"], "next_by": ["page"]},
        group="Pages",
        advanced=True,
        order=17,
        ge=0,
        le=1_000_000,
    )
    offset_name: str = field(
        "offset",
        title="Parameter with the offset",
        required=True,
        show_if={"source": ["pages"], "next_by": ["offset"]},
        group="Pages",
        order=18,
        max_length=100,
    )
    cursor_name: str = field(
        "cursor",
        title="Parameter with the cursor",
        required=True,
        show_if={"source": ["pages"], "next_by": ["cursor"]},
        group="Pages",
        order=19,
        max_length=100,
    )
    next_path: str = field(
        "",
        title="Where the next one stands in the answer",
        help="Names with dots between. Where nothing stands there, it was the last page.",
        placeholder="paging.next",
        required=True,
        show_if={"source": ["pages"], "next_by": ["url", "cursor"]},
        group="Pages",
        order=20,
        max_length=200,
    )
    page_size: int = field(
        0,
        title="Entries on a page",
        help="By number and offset, a page with fewer is the last one. With 0 only an empty page is.",
        widget="number",
        show_if=_PAGES,
        group="Pages",
        order=21,
        ge=0,
        le=10_000,
    )
    size_name: str = field(
        "",
        title="Parameter with the page's size",
        help="Leave it empty where the other system has none.",
        placeholder="limit",
        show_if=_PAGES,
        group="Pages",
        order=22,
        max_length=100,
    )
    total_path: str = field(
        "",
        title="Where the number of all entries stands in the answer",
        placeholder="total",
        help="Only for showing how far it is.",
        show_if=_PAGES,
        group="Pages",
        advanced=True,
        order=23,
        max_length=200,
    )
    item_key: str = field(
        "",
        title="Known again by",
        placeholder="{{ item.id }}",
        help="While pages are read, entries move from one to another. With this, one that comes twice is done once.",
        deferred=True,
        show_if=_PAGES,
        group="Pages",
        order=24,
        max_length=2000,
    )
    on_twice: Literal["skip", "fail"] = field(
        "skip",
        title="If an entry comes twice",
        widget="choice",
        options=(("skip", "Pass over the second"), ("fail", "Fail")),
        show_if=_PAGES,
        group="Pages",
        advanced=True,
        order=25,
    )
    most_pages: int = field(
        1_000,
        title="At most so many pages",
        help="Where there are more, the step fails when these are done, and a retry goes on.",
        widget="number",
        show_if=_PAGES,
        group="Pages",
        advanced=True,
        order=26,
        ge=1,
        le=_MOST_ITEMS,
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
        help="A longer list is refused before the first one is begun. Of pages, these are done before the step fails.",
        widget="number",
        advanced=True,
        order=8,
        ge=1,
        le=_MOST_ITEMS,
    )


def run(config: ForEachConfig, step_input: JSON, context: Context) -> OwnRuns:
    if config.source == "pages":
        return _paged(config)
    count = len(config.items)
    if count > config.most_items:
        raise PermanentError(
            "The list is too long",
            f"It has {count:,} entries, and this step takes at most {config.most_items:,}. Allow more, or split it.",
            "too_many_items",
        )
    return OwnRuns(
        "items",
        items=tuple(config.items),
        at_a_time=config.at_a_time,
        may_fail=_may_fail(config, count),
        collect=config.collect,
    )


def _paged(config: ForEachConfig) -> OwnRuns:
    names = {"page": config.page_name, "offset": config.offset_name, "cursor": config.cursor_name}
    source = HttpPages(
        url=config.url,
        connection=config.connection,
        query=tuple((pair.name, str(as_text(pair.value))) for pair in config.query),
        headers=tuple((pair.name, str(as_text(pair.value))) for pair in config.headers),
        list_path=config.list_path,
        next_by=config.next_by,
        next_path=config.next_path,
        name=names.get(config.next_by, ""),
        first=config.first_page if config.next_by == "page" else 0,
        size_name=config.size_name,
        size=config.page_size,
        total_path=config.total_path,
    )
    paged = Paged(source, config.most_pages, config.most_items, bool(config.item_key), config.on_twice == "fail")
    return OwnRuns(
        "items", at_a_time=config.at_a_time, may_fail=_may_fail(config, 0), collect=config.collect, paged=paged
    )


def problems(config: Mapping[str, Any]) -> list[tuple[str, str, str]]:
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
    return EffectClass.READ if config.get("source") == "pages" else EffectClass.PURE


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
    at_a_time = config.get("at_a_time", 1)
    if config.get("source") == "pages":
        together = "" if at_a_time == 1 else f", {at_a_time} at a time"
        return f"{words.value(config['url'])}, page by page{together}" if config.get("url") else ""
    if not items:
        return ""
    together = "" if at_a_time == 1 else f", {at_a_time} at a time"
    what = f"{len(items)} entries" if isinstance(items, list) else words.value(items)
    return f"{what}{together}"


NODE = NodeType(
    name="flow.for_each",
    version=1,
    category="loop",
    icon="repeat",
    title="For each",
    description="Does the steps inside once for every entry of a list. Each has its own tries, undo and place in the "
    "list of runs.",
    synonyms=("loop", "iterate", "items", "list", "every", "rows", "lines", "map", "schleife", "each"),
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
