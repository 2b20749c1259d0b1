"""Files and large values in an S3-compatible storage: uploaded before their row, read in portions, swept."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from runtime.contracts import StoreUnavailable
from runtime.sdk.s3 import Bucket
from runtime.store import artifacts, failpoints, files
from runtime.store.artifacts import ArtifactDamaged
from runtime.store.blobs import PLACE
from runtime.store.models import Artifact, File
from runtime.worker.storage import S3Storage
from tests.runtime.machine import Machine, flow, step
from tests.runtime.rows import WORKSPACE
from tests.services import MissingService, skip_or_fail
from tests.services.process import free_port
from tests.services.rclone_server import PASSWORD, USER, FileServer, s3_server

pytestmark = pytest.mark.django_db(transaction=True)
BUCKET = "artifacts"
DATA = bytes(range(256)) * 3000


@pytest.fixture(scope="module")
def server() -> Iterator[FileServer]:
    try:
        with s3_server(BUCKET) as found:
            yield found
    except MissingService as missing:
        skip_or_fail(str(missing))


def storage_at(port: int, folder: str = "") -> S3Storage:
    return S3Storage(Bucket(f"http://127.0.0.1:{port}", "us-east-1", BUCKET, USER, PASSWORD), folder)


@pytest.fixture(autouse=True)
def folder(
    server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Path]:
    """Where the storage has what is kept in this test."""
    name = f"t{abs(hash(request.node.name))}"
    monkeypatch.setenv("MILLRACE_TEST_BUILD", "1")
    monkeypatch.setattr(settings, "DATA_DIR", tmp_path)
    storage = storage_at(server.port, f"millrace/{name}")
    monkeypatch.setattr(PLACE, "storage", storage)
    yield server.root / BUCKET / "millrace" / name
    storage.close()


def stored(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def on_disk() -> list[Path]:
    return [path for path in artifacts.directory().rglob("*") if path.is_file()]


def keep(data: bytes = DATA, name: str = "a.bin") -> File:
    saving = files.Saving()
    saving.write(data)
    saving.finish()
    return files.add(saving, workspace_id=WORKSPACE, name=name, mime="application/x-a", by=None)


def test_a_value_goes_there_and_comes_back(folder: Path) -> None:
    kept = artifacts.put(DATA, workspace_id=WORKSPACE)
    (path,) = stored(folder)
    location = Artifact.objects.get(pk=kept).location
    assert (path.read_bytes(), path.relative_to(folder).as_posix()) == (DATA, f"values/{location}")
    assert artifacts.read(kept) == DATA
    assert (artifacts.verify(), on_disk()) == ([], [])
    path.write_bytes(b"\1" + DATA[1:])
    with pytest.raises(ArtifactDamaged, match="changed"):
        artifacts.read(kept)
    assert artifacts.discard(kept)
    assert stored(folder) == []


def test_a_file_goes_there_and_comes_back_in_portions(folder: Path) -> None:
    row = keep()
    assert len(stored(folder)) == 1
    found = list(files.portions(row.pk, row.sha256, row.size))
    assert (b"".join(found), len(found) > 1) == (DATA, True)
    with files.opened(row.pk, row.sha256, row.size) as file:
        assert (file.read(10), file.seek(-10, os.SEEK_END), file.read()) == (DATA[:10], len(DATA) - 10, DATA[-10:])
    assert (files.verify(), files.digest(row.pk), on_disk()) == ([], row.sha256, [])
    files.remove(row, by=None)
    assert (stored(folder), files.digest(row.pk)) == ([], None)
    with pytest.raises(ArtifactDamaged, match="missing"):
        list(files.portions(row.pk, row.sha256, row.size))


def test_what_was_kept_in_folders_before_is_still_read(folder: Path) -> None:
    there, PLACE.storage = PLACE.storage, None
    row, value = keep(), artifacts.put(DATA, workspace_id=WORKSPACE)
    PLACE.storage = there
    assert b"".join(files.portions(row.pk, row.sha256, row.size)) == DATA
    assert artifacts.read(value) == DATA
    with files.opened(row.pk, row.sha256, row.size) as file:
        assert file.read() == DATA
    files.remove(row, by=None)
    assert artifacts.discard(value)
    assert (on_disk(), stored(folder)) == ([], [])


def test_damaged_bytes_are_never_handed_out_whole(folder: Path) -> None:
    row = keep()
    stored(folder)[0].write_bytes(b"\1" + DATA[1:])
    assert files.verify() == [row.pk]
    seen: list[bytes] = []
    with pytest.raises(ArtifactDamaged):
        seen.extend(files.portions(row.pk, row.sha256, row.size))
    assert len(b"".join(seen)) < len(DATA)
    with pytest.raises(ArtifactDamaged):
        files.opened(row.pk, row.sha256, row.size)


@pytest.mark.parametrize("point", ["blob.upload:before", "blob.upload:after"])
def test_no_row_is_written_before_the_upload_is_complete(folder: Path, point: str) -> None:
    """I36: whoever dies before leaves no row; what they had uploaded is swept."""
    failpoints.arm(f"{point}=raise")
    try:
        with pytest.raises(Exception, match=point):
            keep()
        with pytest.raises(Exception, match=point):
            artifacts.put(DATA, workspace_id=WORKSPACE)
    finally:
        failpoints.disarm()
    assert (File.objects.count(), Artifact.objects.count()) == (0, 0)
    left = stored(folder)
    assert len(left) == (2 if point.endswith("after") else 0)
    row, value = keep(), artifacts.put(DATA, workspace_id=WORKSPACE)
    assert (files.sweep(), artifacts.sweep_orphans()) == (0, 0), "what is new may yet get its row"
    hours_ago = time.time() - 48 * 3600
    for path in stored(folder):
        os.utime(path, (hours_ago, hours_ago))
    assert files.sweep() + artifacts.sweep_orphans() >= len(left)
    assert len(stored(folder)) == 2
    assert b"".join(files.portions(row.pk, row.sha256, row.size)) == artifacts.read(value) == DATA


def test_a_storage_that_is_away_is_said_and_nothing_is_half_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    row = keep()
    monkeypatch.setattr("runtime.worker.storage._PAUSES", ())
    monkeypatch.setattr(PLACE, "storage", storage_at(free_port()))
    assert "failed" in PLACE.storage.problem()  # type: ignore[union-attr]
    with pytest.raises(StoreUnavailable, match="cannot write"):
        keep()
    with pytest.raises(StoreUnavailable, match="cannot write"):
        artifacts.put(DATA, workspace_id=WORKSPACE)
    with pytest.raises(StoreUnavailable, match="cannot read"):
        list(files.portions(row.pk, row.sha256, row.size))
    assert (File.objects.count(), Artifact.objects.count()) == (1, 0)


def test_a_key_that_is_refused_is_said_in_words(server: FileServer) -> None:
    wrong = S3Storage(Bucket(f"http://127.0.0.1:{server.port}", "us-east-1", BUCKET, USER, "wrong"))
    assert "secret key is another one" in wrong.problem()
    wrong.close()
    assert PLACE.storage is not None
    assert PLACE.storage.problem() == ""


def test_a_long_listing_comes_in_pages(folder: Path) -> None:
    assert PLACE.storage is not None
    for number in range(1100):
        path = folder / "files" / "0000000" / f"{number:032x}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    assert len(dict(PLACE.storage.listing("files/"))) == 1100
    assert list(PLACE.storage.listing("nothing/")) == []


def test_a_run_makes_a_file_and_reads_it_there(machine: Machine, folder: Path) -> None:
    made = step("make", "files.write_table@1", {"rows": [{"a": 1, "b": "x" * 100_000}], "name": "t", "format": "csv"})
    read = step("read", "files.read_table@1", {"file": "{{ steps.make.file }}"})
    run = machine.run(flow("start -> make -> read", made, read))
    assert run.status == "completed", run.error
    row: Any = File.objects.get(run_id=run.id)
    assert files._key(row.pk) in {path.relative_to(folder).as_posix() for path in stored(folder)}
