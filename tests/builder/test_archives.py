"""Many files as one ZIP: those of a run with all its items, in a stream, whatever their number."""

from __future__ import annotations

import hashlib
import io
import sys
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings

from runtime import api as runtime_api
from runtime.api.files import MOST_IN_ARCHIVE
from runtime.api.rows import DataDamaged
from runtime.contracts.files import FileFilters, TooManyFiles
from runtime.engine.ids import uuid7
from runtime.store import files as store
from runtime.store.models import File, Run
from tests.builder.conftest import World
from tests.builder.test_files import download
from tests.builder.test_people import run_of

MANY = 12_000
PDF = b"%PDF-1.7\n" + bytes(range(256)) * 20
#: Its entries, their names and the portions on their way.
MOST_MEMORY = 24 * 2**20


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "DATA_DIR", tmp_path)


def keep(world: World, run: UUID | None, name: str = "Statement.pdf", data: bytes = PDF, times: int = 1) -> list[File]:
    """Files of a run; written without the care that the store takes, which 12,000 of them need not have."""
    digest = hashlib.sha256(data).hexdigest()
    rows = []
    for _ in range(times):
        row = File(
            id=uuid7(), workspace_id=world.northwind.id, run_id=run, node_id="paper", name=name, mime="application/pdf",
            size=len(data), sha256=digest, created_at=1795167667123,
        )  # fmt: skip
        path = store._path(row.id)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        rows.append(row)
    return File.objects.bulk_create(rows)


def item_of(run: Run, number: int, **changes: Any) -> Run:
    given = {"status": "completed", "finished_at": 2, "detached": False, **changes}
    return Run.objects.create(
        workspace_id=run.workspace_id, workflow_id=run.workflow_id, version_id=run.version_id, trigger_node="each",
        parent_run_id=run.pk, parent_node="each", item_index=number, mode="live", started_by="item", accepted_at=1,
        **given,
    )  # fmt: skip


def names(body: bytes) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(body)) as packed:
        assert packed.testzip() is None
        return packed.namelist()


def test_a_runs_archive_holds_what_its_items_and_their_items_made(world: World) -> None:
    run, other = run_of(world), run_of(world)
    keep(world, run.pk, "list.csv")
    first = item_of(run, 0)
    keep(world, first.pk, "a.pdf")
    keep(world, item_of(first, 0).pk, "b.pdf")
    keep(world, item_of(run, 1, status="running", finished_at=None).pk, "a.pdf")
    keep(world, item_of(run, 2, detached=True).pk, "of nobody here.pdf")
    keep(world, other.pk, "other.pdf")
    keep(world, None, "uploaded.pdf")
    status, _, body = download(world, f"/files/archive?run={run.pk}&inside=true")
    assert (status, names(body)) == (200, ["list.csv", "a.pdf", "b.pdf", "a (2).pdf"])
    assert names(download(world, f"/files/archive?run={run.pk}")[2]) == ["list.csv"]
    total = world.as_alice.get(f"{world.here}/files/total?run={run.pk}&inside=true").body
    assert total == {"count": 4, "size": 4 * len(PDF), "most": MOST_IN_ARCHIVE}
    listed = world.as_alice.get(f"{world.here}/files?run={run.pk}&inside=true&search=A.PDF").body["items"]
    assert [one["name"] for one in listed] == ["a.pdf", "a.pdf"]
    assert world.as_alice.get(f"{world.here}/files/total?run={uuid7()}&inside=true").body["count"] == 0
    for path in (f"archive?run={run.pk}&inside=true", f"archive?run={first.pk}"):
        assert world.as_mallory.get(f"/workspaces/{world.southwind.id}/files/{path}").status == 404


def test_twelve_thousand_documents_are_streamed_in_little_memory(world: World, tmp_path: Path) -> None:
    run = run_of(world)
    items = [item_of(run, number) for number in range(24)]
    for item in items:
        keep(world, item.pk, times=MANY // len(items))
    target = tmp_path / "all.zip"
    tracemalloc.start()
    try:
        sizes = []
        with target.open("wb") as file:
            for portion in runtime_api.archive(
                workspace_id=world.northwind.id, filters=FileFilters(run_id=run.pk, inside=True)
            ):
                sizes.append(len(portion))
                file.write(portion)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < MOST_MEMORY
    # The last one is the table of contents.
    assert max(sizes[:-1]) < 2 * store.PORTION
    assert sizes[-1] < MANY * 100
    assert target.stat().st_size > MANY * len(PDF)
    with zipfile.ZipFile(target) as packed:
        found = packed.namelist()
        assert (len(found), len(set(found))) == (MANY, MANY)
        assert (found[0], found[1], found[-1]) == ("Statement.pdf", "Statement (2).pdf", f"Statement ({MANY}).pdf")
        assert packed.read(found[-1]) == PDF


def test_the_same_archive_is_the_same_to_the_last_byte(world: World) -> None:
    run = run_of(world)
    keep(world, run.pk, times=700)
    filters = FileFilters(run_id=run.pk)
    once, again = (b"".join(runtime_api.archive(workspace_id=world.northwind.id, filters=filters)) for _ in range(2))
    assert once == again


def test_more_than_fit_the_old_format_are_read_by_everybody(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Above 65,535 entries, or 4 GiB, an archive is a Zip64; the library says so where it has to."""
    keep(world, run_of(world).pk, times=3)
    body = b"".join(runtime_api.archive(workspace_id=world.northwind.id, filters=FileFilters()))
    assert b"PK\x06\x06" not in body
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 2)
    body = b"".join(runtime_api.archive(workspace_id=world.northwind.id, filters=FileFilters()))
    assert b"PK\x06\x06" in body
    assert len(names(body)) == 3


def removed(row: File) -> None:
    store.remove(row, by=None)


def lost(row: File) -> None:
    store._path(row.pk).unlink()


@pytest.mark.parametrize("how", [removed, lost])
def test_what_is_removed_meanwhile_is_left_out_and_what_is_lost_breaks_off(
    world: World, how: Callable[[File], None]
) -> None:
    """Nobody takes a part for the whole; but who removes a file has it removed."""
    run = run_of(world)
    rows = keep(world, run.pk, data=PDF * 80, times=3)
    portions = runtime_api.archive(workspace_id=world.northwind.id, filters=FileFilters(run_id=run.pk))
    body = next(portions)
    how(rows[2])
    if how is lost:
        with pytest.raises(DataDamaged):
            list(portions)
    else:
        assert names(body + b"".join(portions)) == ["Statement.pdf", "Statement (2).pdf"]


def test_too_many_are_refused_before_anything_is_sent(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(world, None, times=3)
    monkeypatch.setattr(sys.modules["runtime.api.files"], "MOST_IN_ARCHIVE", 2)
    with pytest.raises(TooManyFiles):
        runtime_api.archive(workspace_id=world.northwind.id, filters=FileFilters())
    answer = world.as_alice.get(f"{world.here}/files/archive")
    assert (answer.status, answer.code) == (409, "too_many_files")
