from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID

import pytest
from django.conf import settings
from django.db import OperationalError, connection

from runtime.contracts import StoreUnavailable
from runtime.store import artifacts, failpoints
from runtime.store.models import Artifact, Event
from runtime.store.writer import Writer
from runtime.worker import ticker
from tests.runtime.rows import WORKSPACE

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MILLRACE_TEST_BUILD", "1")
    monkeypatch.setattr(settings, "DATA_DIR", tmp_path)
    return tmp_path / "artifacts"


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*/*") if path.is_file())


@pytest.mark.parametrize("data", [b"", b"x", bytes(range(256)) * 4096])
def test_bytes_come_back_as_they_were(data: bytes, folder: Path) -> None:
    artifact_id = artifacts.put(data, workspace_id=WORKSPACE, media_type="text/plain", name="a.txt")
    row = Artifact.objects.get()
    assert artifacts.read(artifact_id) == data
    assert (row.id, row.size, row.sha256) == (artifact_id, len(data), hashlib.sha256(data).hexdigest())
    assert [path.stat().st_mode & 0o777 for path in files(folder)] == [0o600]


def test_a_folder_that_another_process_has_just_made_is_synced_all_the_same(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "ab").mkdir(parents=True)
    synced: list[Path] = []
    monkeypatch.setattr(artifacts, "sync_directory", synced.append)
    artifacts.make_folder(folder / "ab")
    assert synced == [folder.parent, folder]
    artifacts.make_folder(folder / "ab")
    artifacts.make_folder(folder / "cd")
    assert synced == [folder.parent, folder, folder]
    # Somebody cleared the disk.
    (folder / "ab").rmdir()
    artifacts.make_folder(folder / "ab")
    assert synced == [folder.parent, folder, folder, folder]
    assert (folder / "ab").is_dir()


@pytest.mark.parametrize("damage", ["change", "remove"])
def test_a_file_that_was_changed_or_lost_is_noticed(damage: str, folder: Path) -> None:
    artifact_id = artifacts.put(b"the truth", workspace_id=WORKSPACE)
    sound = artifacts.put(b"sound", workspace_id=WORKSPACE)
    (path,) = [path for path in files(folder) if path.name == artifact_id.hex]
    if damage == "change":
        path.write_bytes(b"the trutH")
    else:
        path.unlink()
    with pytest.raises(artifacts.ArtifactDamaged):
        artifacts.read(artifact_id)
    assert artifacts.read(sound) == b"sound"
    assert artifacts.verify() == [artifact_id]


@pytest.mark.parametrize(
    "point", ["blob.write:before", "blob.write:after", "blob.rename:before", "blob.rename:after", "blob.row:before"]
)
def test_a_crash_on_the_way_leaves_no_row_without_its_file(point: str, folder: Path) -> None:
    failpoints.arm(f"{point}=raise")
    with pytest.raises(OperationalError):
        artifacts.put(b"on its way", workspace_id=WORKSPACE)
    assert not Artifact.objects.exists()
    assert all(not path.name.startswith(".") for path in files(folder))


def test_the_row_is_written_behind_the_file(folder: Path) -> None:
    failpoints.arm("blob.row:after=raise")
    with pytest.raises(OperationalError):
        artifacts.put(b"already there", workspace_id=WORKSPACE)
    assert artifacts.read(Artifact.objects.get().id) == b"already there"


def test_a_full_disk_is_a_fault_of_the_store_and_leaves_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreUnavailable, match="No space left"):
        artifacts.put(b"x", workspace_id=WORKSPACE)
    assert files(folder) == []


def test_old_files_without_a_row_are_swept_and_others_stay(folder: Path) -> None:
    kept = artifacts.put(b"kept", workspace_id=WORKSPACE)
    orphan = folder / "ab" / ("ab" * 16)
    half = folder / "ab" / ".half.0000"
    orphan.parent.mkdir(exist_ok=True)
    for path in (orphan, half):
        path.write_bytes(b"left behind")
        os.utime(path, (0, 0))
    young = folder / "ab" / ("cd" * 16)
    young.write_bytes(b"being written")
    assert artifacts.sweep_orphans() == 2
    assert {path.name for path in files(folder)} == {kept.hex, young.name}


class TestBodies:
    """What came to webhooks: named by an event, or by nothing."""

    def body(self) -> UUID:
        return artifacts.put(b"came", workspace_id=WORKSPACE, name=artifacts.BODY)

    def event(self, artifact_id: UUID) -> Event:
        return Event.objects.create(
            workspace_id=WORKSPACE,
            workflow_id=WORKSPACE,
            source="webhook",
            received_at=0,
            body_artifact_id=artifact_id,
            body_sha256="0" * 64,
            verdict="accepted",
        )

    def test_bytes_that_nothing_names_are_removed_with_their_file(self, folder: Path) -> None:
        artifact_id = self.body()
        assert artifacts.discard(artifact_id)
        assert artifacts.discard(artifact_id)
        assert (Artifact.objects.count(), files(folder)) == (0, [])

    def test_bytes_that_an_event_names_stay(self, folder: Path) -> None:
        artifact_id = self.body()
        self.event(artifact_id)
        assert not artifacts.discard(artifact_id)
        assert artifacts.read(artifact_id) == b"came"

    def test_a_crash_between_row_and_file_leaves_a_file_that_the_sweep_finds(self, folder: Path) -> None:
        artifact_id = self.body()
        failpoints.arm("retention.delete:after=raise")
        with pytest.raises(OperationalError):
            artifacts.discard(artifact_id)
        assert not Artifact.objects.exists()
        failpoints.disarm()
        assert artifacts.sweep_orphans(older_than_seconds=-60) == 1
        assert files(folder) == []

    def test_old_bodies_that_nothing_names_are_swept_and_all_others_stay(self, folder: Path) -> None:
        left, named, young = self.body(), self.body(), self.body()
        document = artifacts.put(b"[1]", workspace_id=WORKSPACE, name="body.json")
        self.event(named)
        Artifact.objects.exclude(pk=young).update(created_at=1)
        for path in files(folder):
            os.utime(path, (0, 0))
        assert artifacts.sweep_orphans() == 1
        assert {path.name for path in files(folder)} == {one.hex for one in (named, young, document)}
        assert not Artifact.objects.filter(pk=left).exists()

    def test_a_file_that_goes_while_the_sweep_looks_at_it_is_no_fault(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        gone = folder / "ab" / ("ab" * 16)
        gone.parent.mkdir(parents=True)

        def listed(path: Path) -> Iterator[Path]:
            return iter([gone])

        monkeypatch.setattr(Path, "iterdir", listed)
        assert artifacts.sweep_orphans(older_than_seconds=-60) == 0

    @pytest.mark.parametrize("leads", [True, False])
    def test_the_ticker_that_leads_sweeps_the_store_and_the_others_do_not(
        self, leads: bool, writer: Writer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.body()
        Artifact.objects.update(created_at=1)
        looked, sleep = asyncio.Event(), asyncio.sleep
        monkeypatch.setattr(ticker, "FIRST_SWEEP_SECONDS", 0.0)
        monkeypatch.setattr(ticker.Ticker, "_lead", lambda self: leads)

        async def slept(seconds: float) -> None:
            if seconds == ticker.SWEEP_SECONDS:
                looked.set()
            await sleep(seconds)

        monkeypatch.setattr("asyncio.sleep", slept)

        async def whole() -> None:
            with ThreadPoolExecutor(1) as readers:
                one = ticker.Ticker(
                    writer=writer, kind="ticker", leads=False, readers=readers, ring=None, running=lambda: 0
                )
                one.start()
                async with asyncio.timeout(20):
                    await looked.wait()
                await one.stop()
                readers.submit(lambda: connection.close())

        asyncio.run(whole())
        assert Artifact.objects.exists() is not leads
