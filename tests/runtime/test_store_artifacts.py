from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from django.conf import settings
from django.db import OperationalError

from runtime.contracts import StoreUnavailable
from runtime.store import artifacts, failpoints
from runtime.store.models import Artifact
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
