"""What steps save and open: rows with the result, bytes before it, and nothing of another workspace's."""

from __future__ import annotations

import asyncio
import hashlib
import os
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import connections

from runtime import api
from runtime.contracts import NotFound, StoreUnavailable
from runtime.contracts.files import FileFilters, FileInUse
from runtime.engine.ids import uuid7
from runtime.sdk import PermanentError
from runtime.sdk.files import FileValue
from runtime.store import artifacts, failpoints, files
from runtime.store.models import File, Run
from runtime.worker.files import StepFiles
from tests.runtime.machine import WORKSPACE as MACHINES
from tests.runtime.machine import Machine, detail, flow, look, step, wait_until
from tests.runtime.rows import WORKSPACE

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MILLRACE_TEST_BUILD", "1")
    monkeypatch.setattr(settings, "DATA_DIR", tmp_path)
    return tmp_path / "artifacts" / "files"


def asked() -> Any:
    return SimpleNamespace(files=(), step=SimpleNamespace(node=SimpleNamespace(id="n1")), generation=1)


def kept(data: bytes, name: str = "a.txt") -> File:
    saving = files.Saving()
    saving.write(data)
    saving.finish()
    return files.add(saving, workspace_id=WORKSPACE, name=name, mime="text/plain", by=None)


def on_disk(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*/*") if path.is_file())


@contextmanager
def readers() -> Iterator[ThreadPoolExecutor]:
    """As a worker has them: threads with connections of their own, closed at the end."""
    with ThreadPoolExecutor(1) as pool:
        try:
            yield pool
        finally:
            pool.submit(connections.close_all).result()


async def whole(door: StepFiles, value: Any) -> bytes:
    return b"".join([portion async for portion in door.open(value)])


async def test_a_step_saves_in_portions_and_reads_its_own_file_at_once(folder: Path) -> None:
    async def portions() -> AsyncIterator[bytes]:
        for number in range(300):
            yield bytes([number % 256]) * 9_999

    with readers() as pool:
        one = asked()
        door = StepFiles(WORKSPACE, one, pool)
        value = await door.save("a/b.bin", "X/Y; q", portions())
        assert (value.name, value.mime, value.size) == ("a_b.bin", "x/y", 300 * 9_999)
        data = await whole(door, value.as_json())
        assert hashlib.sha256(data).hexdigest() == value.sha256
        with await door.reading(value) as file:
            assert file.read() == data
        # The row comes with the step's result: without one, the bytes are nobody's.
        assert [(row.name, row.node_id) for row in one.files] == [("a_b.bin", "n1")]
        await refused(StepFiles(WORKSPACE, asked(), pool), value.as_json(), "file_missing")
        assert await pool_run(pool, lambda: files.sweep(older_than_seconds=-1)) == 1
    assert on_disk(folder) == []


async def refused(door: StepFiles, value: Any, code: str) -> None:
    with pytest.raises(PermanentError) as caught:
        await whole(door, value)
    assert caught.value.code == code


async def test_what_is_too_large_or_breaks_off_leaves_nothing(folder: Path) -> None:
    async def breaks() -> AsyncIterator[bytes]:
        yield b"x"
        raise ValueError("broken")

    with readers() as pool:
        door = StepFiles(WORKSPACE, asked(), pool)
        with pytest.raises(PermanentError, match="at most 3 bytes"):
            await door.save("a", "text/plain", [b"ab", b"cd"], most=3)
        with pytest.raises(ValueError, match="broken"):
            await door.save("a", "text/plain", breaks())
    assert on_disk(folder) == []


async def test_a_file_of_another_workspace_is_refused() -> None:
    """S3: by its id, whatever else the reference claims."""
    with readers() as pool:
        row = await pool_run(pool, lambda: kept(b"secret"))
        value = FileValue(str(row.pk), row.name, row.mime, row.size, row.sha256).as_json()
        assert await whole(StepFiles(WORKSPACE, asked(), pool), value) == b"secret"
        await refused(StepFiles(uuid4(), asked(), pool), value, "file_missing")
        for wrong in (None, "a.txt", {"id": str(row.pk)}, {**value, "id": "../x"}):
            await refused(StepFiles(WORKSPACE, asked(), pool), wrong, "not_a_file")


async def pool_run(pool: ThreadPoolExecutor, call: Any) -> Any:
    return await asyncio.get_running_loop().run_in_executor(pool, call)


def test_files_saved_at_once_share_the_sync_of_their_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[Path] = []
    lock = threading.Lock()
    real = artifacts.sync_directory

    def count(path: Path) -> None:
        with lock:
            synced.append(path)
        real(path)

    monkeypatch.setattr(artifacts, "sync_directory", count)

    def save(number: int) -> bytes:
        saving = files.Saving()
        saving.write(str(number).encode())
        saving.finish()
        return b"".join(files.portions(saving.id, saving.sha256, saving.size))

    with ThreadPoolExecutor(16) as pool:
        assert sorted(pool.map(save, range(200)), key=int) == [str(number).encode() for number in range(200)]
    assert len(synced) <= 203


def test_a_folder_that_another_process_has_just_made_is_synced_all_the_same(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a power cut could take the folder, and with it the bytes of a file whose row stands."""
    synced: list[Path] = []
    monkeypatch.setattr(artifacts, "sync_directory", synced.append)
    (folder / uuid7().hex[:7]).mkdir(parents=True)
    kept(b"first")
    assert folder in synced[:-1]
    synced.clear()
    kept(b"second")
    assert folder not in synced


def test_a_sync_that_fails_fails_the_file_and_not_the_next(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept(b"first")
    real = artifacts.sync_directory
    monkeypatch.setattr(artifacts, "sync_directory", lambda path: (_ for _ in ()).throw(OSError(5, "broken disk")))
    saving = files.Saving()
    with pytest.raises(StoreUnavailable, match="broken disk"):
        saving.finish()
    saving.abandon()
    monkeypatch.setattr(artifacts, "sync_directory", real)
    kept(b"second")
    assert len(on_disk(folder)) == 2


@pytest.mark.parametrize("point", ["blob.write:before", "blob.write:after", "blob.rename:before", "blob.rename:after"])
def test_wherever_a_process_is_killed_no_row_lacks_its_bytes(folder: Path, point: str) -> None:
    stands = kept(b"stands")
    child = os.fork()
    if child == 0:
        failpoints.arm(f"{point}=kill")
        saving = files.Saving()
        saving.write(b"x" * 100_000)
        saving.finish()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)
    assert files.verify() == []
    files.sweep(older_than_seconds=-1)
    assert [path.name for path in on_disk(folder)] == [stands.pk.hex]
    assert b"".join(files.portions(stands.pk, stands.sha256, stands.size)) == b"stands"


def test_the_sweep_leaves_what_is_young_and_what_has_a_row(folder: Path) -> None:
    row = kept(b"x")
    young = files.Saving()
    young.finish()
    (folder / "x").mkdir()
    (folder / "x" / "stray").write_bytes(b"")
    assert files.sweep() == 0
    assert files.sweep(older_than_seconds=-1) == 2
    assert artifacts.sweep_orphans(older_than_seconds=-1) == 0
    assert [path.name for path in on_disk(folder)] == [row.pk.hex]
    files.remove(row, by=None)
    assert on_disk(folder) == []
    assert files.found(WORKSPACE, row.pk) is None


ROWS = [{"Customer": "Müller", "Amount": 1250}]


def tables() -> dict[str, Any]:
    """A table is written, and read again by the next step."""
    return flow(
        "start -> write -> read",
        step("write", "files.write_table@1", {"rows": ROWS, "name": "May", "format": "csv"}),
        step("read", "files.read_table@1", {"file": "{{ steps.write.file }}"}),
    )


def test_a_file_passes_from_step_to_step_as_a_reference(machine: Machine, folder: Path) -> None:
    run = machine.run(tables())
    assert run.status == "completed"
    output: Any = detail(run.id, "read").output
    assert output["rows"] == ROWS
    row = File.objects.get()
    assert (row.run_id, row.node_id, row.workspace_id, row.name) == (run.id, "write", MACHINES, "May.csv")
    reference: Any = detail(run.id, "write").output
    assert reference["file"] == {
        "id": str(row.pk), "name": "May.csv", "mime": "text/csv", "size": row.size, "sha256": row.sha256,
    }  # fmt: skip
    (view,) = api.files(workspace_id=MACHINES, filters=FileFilters(run_id=run.id)).items
    assert b"".join(api.open_file(workspace_id=MACHINES, file_id=view.id).portions).endswith("Müller,1250\r\n".encode())
    assert files.verify() == []
    assert files.sweep(older_than_seconds=-1) == 0


def test_a_step_that_is_cut_off_while_it_saves_leaves_no_row(
    machine: Machine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was saved before the crash is nobody's; the attempt after it saves anew, and that counts."""
    held = threading.Event()
    real = files.Saving.finish

    def finish(self: files.Saving) -> None:
        real(self)
        if not held.is_set():
            held.set()
            threading.Event().wait(1.0)

    monkeypatch.setattr(files.Saving, "finish", finish)
    # Whoever is killed tidies nothing up.
    monkeypatch.setattr(files.Saving, "abandon", lambda self: None)
    run_id = machine.begin(tables())
    assert held.wait(90)
    machine.crash()
    assert (File.objects.count(), len(on_disk(folder))) == (0, 1)
    Run.objects.filter(pk=run_id).update(lease_expires_at=0, wake_at=0)
    machine.start()
    wait_until(lambda: look(run_id).status == "completed")
    assert (File.objects.count(), len(on_disk(folder))) == (1, 2)
    assert files.verify() == []
    assert files.sweep(older_than_seconds=-1) == 1
    assert files.verify() == []


def test_a_file_goes_only_when_its_run_has_ended(machine: Machine) -> None:
    run = machine.run(tables())
    row = File.objects.get()
    Run.objects.filter(pk=run.id).update(finished_at=None)
    with pytest.raises(FileInUse):
        api.remove_file(workspace_id=MACHINES, file_id=row.pk, by=None)
    Run.objects.filter(pk=run.id).update(finished_at=1)
    api.remove_file(workspace_id=MACHINES, file_id=row.pk, by=None)
    with pytest.raises(NotFound):
        api.file(workspace_id=MACHINES, file_id=row.pk)
