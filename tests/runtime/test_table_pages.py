"""Rows of a file that a For each reads a page at a time: none twice, none left out, never all in memory."""

from __future__ import annotations

import io
import tracemalloc
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings

from runtime import api
from runtime.sdk import PermanentError
from runtime.sdk.table_pages import PAGE_ROWS, TablePages
from runtime.sdk.tables import xlsx_of
from runtime.sdk.testing import StepTestContext
from runtime.store.models import ItemKey, Reading, Run
from tests.runtime.machine import WORKSPACE, Machine, detail, fields, flow, look, pause, step, wait_until
from tests.runtime.test_own_runs import inside

BODY = fields("name", of="{{ item.Number }}")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "DATA_DIR", tmp_path)


def csv(count: int, *, twice: int = 0) -> bytes:
    """So many rows, and the first of them once more at the end."""
    lines = [f"{number};Müller {number};{number},50" for number in [*range(1, count + 1), *range(1, twice + 1)]]
    return "\r\n".join(["Number;Name;Amount", *lines, ""]).encode()


def xlsx(count: int) -> bytes:
    out = io.BytesIO()
    xlsx_of(({"Number": n, "Name": f"Müller {n}"} for n in range(1, count + 1)), ["Number", "Name"], out)
    return out.getvalue()


def kept(data: bytes) -> Any:
    view = api.add_file(workspace_id=WORKSPACE, name="may.csv", mime="text/csv", read=io.BytesIO(data).read, by=None)
    return {"id": str(view.id), "name": view.name, "mime": view.mime, "size": view.size, "sha256": view.sha256}


def each(**config: Any) -> dict[str, Any]:
    of = config.pop("settings", {})
    return step("each", "flow.for_each@1", {"source": "file", "file": "{{ trigger }}", **config}, **of)


def numbers(run_id: UUID) -> list[Any]:
    rows = Run.objects.filter(parent_run_id=run_id, parent_node="each").order_by("item_index")
    return [int(str(text).partition('"Number":')[2].partition(",")[0]) for text in rows.values_list("item", flat=True)]


@pytest.mark.parametrize("made", [csv, xlsx], ids=["csv", "xlsx"])
def test_every_row_of_a_file_has_one_run_in_the_order_of_the_file(machine: Machine, made: Any) -> None:
    graph = flow("start -> each", each(at_a_time=50, collect=False), *inside("each", BODY))
    run = machine.finish(machine.begin(graph, kept(made(1_203))), patience=120)
    assert run.status == "completed", run
    output: Any = detail(run.id, "each").output
    assert (output["total"], output["done"], output["pages"], output["skipped"]) == (1_203, 1_203, 3, 0)
    assert numbers(run.id) == list(range(1, 1_204))
    assert api.orphans() == []


def test_a_row_is_known_to_its_steps_by_the_names_of_the_columns(machine: Machine) -> None:
    body = fields("name", text="{{ item.Name }}: {{ item.Amount + 1 }} ({{ index }})")
    run = machine.run(flow("start -> each", each(), *inside("each", body)), kept(csv(2)))
    output: Any = detail(run.id, "each").output
    assert [one["text"] for one in output["results"]] == ["Müller 1: 2.50 (0)", "Müller 2: 3.50 (1)"]


def test_how_many_rows_there_are_is_known_from_the_first_page_on(machine: Machine) -> None:
    graph = flow("start -> each", each(), *inside("each", pause("wait", 600)))
    run_id = machine.begin(graph, kept(csv(1_203)))
    wait_until(lambda: Run.objects.filter(parent_run_id=run_id).count() == 1)
    assert [one.total for one in Reading.objects.filter(run_id=run_id)] == [1_203]
    steps = api.snapshot(workspace_id=WORKSPACE, run_id=run_id).steps
    row = next(one for one in steps if one.node == "each")
    assert row.items is not None
    assert (row.note, row.items.total, row.items.started) == ("0 of 1203", 1_203, 1)
    api.cancel(workspace_id=WORKSPACE, run_id=run_id)
    assert machine.finish(run_id).status == "cancelled"


def test_a_row_that_comes_twice_is_passed_over_and_counted(machine: Machine) -> None:
    graph = flow("start -> each", each(key_column="Number", at_a_time=50, collect=False), *inside("each", BODY))
    run = machine.finish(machine.begin(graph, kept(csv(600, twice=7))), patience=60)
    assert run.status == "completed", run
    output: Any = detail(run.id, "each").output
    assert (output["total"], output["done"], output["skipped"]) == (600, 600, 7)
    assert numbers(run.id) == list(range(1, 601))
    assert ItemKey.objects.filter(run_id=run.id).count() == 600


@pytest.mark.parametrize(
    ("data", "code", "words"),
    [
        (csv(3, twice=1), "item_twice", "Row 5 has come before"),
        (b"Number;Name\n1;x\n;y\n", "no_item_key", "“Number” is empty in row 3"),
        (b"No;Name\n1;x\n", "table_refused", "no column “Number”. There are: No, Name"),
        (csv(11), "too_many_items", "11 rows, and this step takes at most 10"),
        (b"Number;Name\n" + b"1;x\n" * 600 + b"2;y;z\n", "table_refused", "Row 602 has 3 cells"),
    ],
    ids=["twice", "no key", "no column", "too many", "ragged"],
)
def test_what_is_wrong_with_a_file_is_said_with_its_row_before_anything_begins(
    machine: Machine, data: bytes, code: str, words: str
) -> None:
    most = 10 if code == "too_many_items" else 10_000
    each_row = each(key_column="Number", on_twice="fail", most_items=most)
    run = machine.run(flow("start -> each", each_row, *inside("each", BODY)), kept(data))
    assert run.status == "dead_lettered", run
    assert run.error is not None
    assert (run.error["code"], numbers(run.id)) == (code, [])
    assert words in run.error["message"]


def test_so_many_of_a_hundred_rows_may_fail(machine: Machine) -> None:
    failing = step("name", "flow.fail@1", {"message": "no"})
    graph = flow("start -> each", each(stop="percent", percent=10), *inside("each", failing))
    run = machine.run(graph, kept(csv(30)))
    assert run.error is not None
    assert (run.error["code"], len(numbers(run.id))) == ("items_failed", 4)
    assert "4 of 30 failed" in run.error["title"]


def test_a_file_that_is_removed_meanwhile_stops_what_has_not_begun(machine: Machine) -> None:
    file = kept(csv(1_203))
    graph = flow("start -> each", each(at_a_time=100), *inside("each", pause("wait", 0.2)))
    run_id = machine.begin(graph, file)
    wait_until(lambda: Run.objects.filter(parent_run_id=run_id).exists())
    api.remove_file(workspace_id=WORKSPACE, file_id=UUID(file["id"]), by=None)
    run = machine.finish(run_id, patience=60)
    assert run.error is not None
    assert run.error["code"] == "file_missing"
    done = numbers(run_id)
    assert done == list(range(1, len(done) + 1))
    assert len(done) % PAGE_ROWS == 0


@pytest.mark.parametrize("made", [csv, xlsx], ids=["csv", "xlsx"])
def test_a_crash_between_pages_loses_and_repeats_no_row(machine: Machine, made: Any) -> None:
    graph = flow("start -> each", each(at_a_time=40, key_column="Number", collect=False), *inside("each", BODY))
    run_id = machine.begin(graph, kept(made(1_100)))
    for many in (1, 480, 520, 1_020):
        wait_until(lambda: Run.objects.filter(parent_run_id=run_id).count() >= many)  # noqa: B023
        if look(run_id).finished_at is None:
            machine.crash()
            machine.start()
    run = machine.finish(run_id, patience=120)
    assert run.status == "completed", run
    assert numbers(run_id) == list(range(1, 1_101))


# --- the source by itself -----------------------------------------------------------------------------------------


async def pages_of(data: bytes, **how: Any) -> list[Any]:
    context = StepTestContext()
    file = await context.files.save("a.csv", "text/csv", [data])
    source = TablePages(file.as_json(), most_rows=100_000, **how)
    found, cursor = [], None
    while True:
        page = await source.read_page(cursor, context)
        assert page == await source.read_page(cursor, context), "it may be asked for again"
        found.append(page)
        if (cursor := page.next) is None:
            return found


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
async def test_pages_together_are_the_file_in_whatever_way_it_is_written(encoding: str, ending: str) -> None:
    cells = [f'{n};"Größe{ending}über ""{n}"""' if n % 3 else f"{n};für Äpfel" for n in range(1_234)]
    data = ending.join(["Number;Text", *cells[:700], "", *cells[700:]]).encode(encoding)
    pages = await pages_of(data)
    assert [len(page.items) for page in pages] == [500, 500, 234]
    assert {page.total for page in pages} == {1_234}
    assert [row["Number"] for page in pages for row in page.items] == list(range(1_234))
    assert pages[2].items[-1] == {"Number": 1_233, "Text": "für Äpfel"}
    assert pages[2].items[0]["Text"] == f'Größe{ending}über "1000"'
    assert pages[1].places[200] == "row 703", "the header and the empty one counted"


async def test_all_pages_are_read_by_what_the_first_one_showed() -> None:
    lines = [*(f"{n};1,5" for n in range(600)), *(f"{n};x" for n in range(600, 700))]
    pages = await pages_of("\n".join(["n;d", *lines]).encode())
    assert pages[0].items[0] == {"n": 0, "d": pages[1].items[0]["d"]}
    assert pages[1].items[-1] == {"n": 699, "d": "x"}


async def test_no_rows_are_one_empty_page_and_one_page_is_the_last() -> None:
    assert [(page.items, page.next, page.total) for page in await pages_of(b"a;b\n")] == [((), None, 0)]
    assert [len(page.items) for page in await pages_of(csv(PAGE_ROWS))] == [PAGE_ROWS]


async def test_another_file_is_not_gone_on_with() -> None:
    context = StepTestContext()
    one, other = [(await context.files.save("a", "text/csv", [csv(n)])).as_json() for n in (600, 700)]
    page = await TablePages(one).read_page(None, context)
    with pytest.raises(PermanentError, match="another file"):
        await TablePages(other).read_page(page.next, context)


async def test_a_line_without_an_end_is_refused_before_it_fills_the_memory() -> None:
    with pytest.raises(PermanentError, match="Line 2 is longer"):
        await pages_of(b"a;b\n" + b"x" * 5_000_000)


@pytest.mark.parametrize("made", [csv, xlsx], ids=["csv", "xlsx"])
async def test_twelve_thousand_rows_take_no_more_memory_than_two_thousand(
    made: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def peak(count: int) -> int:
        context = StepTestContext()
        # Wide, so that both are larger than the portion that is looked at first.
        data = made(count).replace(b"ller", b"ller" * 50) if made is csv else made(count)
        file = await context.files.save("a", "text/csv", [data])
        (tmp_path / "file").write_bytes(data)

        async def opened(value: Any) -> Any:
            return (tmp_path / "file").open("rb")

        monkeypatch.setattr(context.files, "reading", opened)
        source, cursor, seen = TablePages(file.as_json(), most_rows=count), None, 0
        tracemalloc.start()
        try:
            while seen == 0 or cursor is not None:
                page = await source.read_page(cursor, context)
                cursor, seen = page.next, seen + len(page.items)
            assert seen == count
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    await peak(2_000)
    assert await peak(12_000) < await peak(2_000) * 1.1
