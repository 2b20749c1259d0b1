"""A backup holds everything of one moment; what is restored is whole, is held, and is what was backed up. A damaged
one, one of a newer version, and one whose keys are not here are refused before anything is touched."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection

from builder.audit.models import AuditRow
from builder.config.backups import databases, making, manifest, restoring
from builder.config.backups.manifest import BackupRefused
from runtime.store import artifacts, files, restores
from runtime.store.brake import BRAKE
from runtime.store.models import Artifact, File, Instance
from runtime.worker.boot import instance
from tests.builder.conftest import World

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A DATA_DIR of the test's own."""
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    monkeypatch.setattr(settings, "DATA_DIR", data)
    monkeypatch.setattr(settings, "BEAT_FILE", data / "beat")
    yield tmp_path
    BRAKE.held = False


def a_file(world: World, name: str = "invoice.pdf", data: bytes = b"%PDF-1.7 invoice") -> File:
    saving = files.Saving()
    saving.write(data)
    saving.finish()
    return files.add(saving, workspace_id=world.northwind.id, name=name, mime="application/pdf", by=None)


def backup(target: Path, *more: str) -> str:
    out = StringIO()
    call_command("backup", str(target), *more, stdout=out, stderr=out)
    return out.getvalue()


@pytest.fixture
def made(world: World, folder: Path) -> Path:
    """A backup with a file and a large value."""
    instance()
    a_file(world)
    artifacts.put(b"x" * 100_000, workspace_id=world.northwind.id, name="output.json")
    backup(folder / "one")
    return folder / "one"


def test_a_backup_is_whole_and_says_what_it_holds(made: Path, world: World) -> None:
    told = json.loads((made / "manifest.json").read_text())
    assert (told["files"], told["vendor"]) == (2, connection.vendor)
    assert told["database_sha256"] == manifest.digest_of(made / told["database"])
    assert {path.stat().st_mode & 0o077 for path in made.rglob("*")} == {0}
    assert restoring.check(made).files == 2
    row = AuditRow.objects.get(verb="installation.backed_up")
    assert json.loads(row.detail)["sha256"] == manifest.digest_of(made / "manifest.json")
    # No key that opens what is sealed.
    everything = b"".join(path.read_bytes() for path in made.rglob("*") if path.is_file())
    assert settings.SECRET_KEY.encode() not in everything


def test_a_backup_is_never_written_over_and_one_that_was_broken_off_is_none(made: Path, folder: Path) -> None:
    with pytest.raises(CommandError, match="is there already"):
        backup(made)
    (made / "manifest.json").unlink()
    with pytest.raises(BackupRefused, match="no backup"):
        restoring.check(made)
    unfinished = folder / "two.unfinished"
    unfinished.mkdir()
    backup(folder / "two")
    assert not unfinished.exists()


@pytest.mark.parametrize("what", ["database", "artifacts", "files.txt", "manifest.json", "missing"])
def test_a_damaged_backup_is_refused_with_the_name_of_what_is_wrong(made: Path, what: str) -> None:
    path = next(one for one in sorted(made.rglob("*")) if one.is_file() and what in str(one.relative_to(made))) if (
        what != "missing"
    ) else next(one for one in (made / "artifacts").rglob("*") if one.is_file())  # fmt: skip
    if what == "missing":
        path.unlink()
    else:
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
    with pytest.raises(BackupRefused, match=r"damaged"):
        restoring.check(made)


@pytest.mark.parametrize("part", ["version", "migrations"])
def test_a_backup_of_a_newer_version_is_refused(made: Path, part: str) -> None:
    path = made / "manifest.json"
    told: dict[str, Any] = json.loads(path.read_text())
    told[part] = 99 if part == "version" else {**told["migrations"], "store": "9999_from_the_future"}
    path.write_text(manifest.sealed(told))
    with pytest.raises(BackupRefused, match="newer Millrace"):
        restoring.check(made)


def test_a_backup_of_the_other_database_is_refused(made: Path) -> None:
    path = made / "manifest.json"
    told: dict[str, Any] = json.loads(path.read_text())
    told["vendor"] = "sqlite" if connection.vendor == "postgresql" else "postgresql"
    path.write_text(manifest.sealed(told))
    with pytest.raises(BackupRefused, match="DATABASE_URL"):
        restoring.check(made)


def test_another_secret_key_is_refused_before_anything_is_touched(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "SECRET_KEY", "another one that is long enough to be one, surely")
    with pytest.raises(BackupRefused, match="SECRET_KEY"):
        restoring.restore(made, replace=True)
    assert not restoring.mark_path().exists()


def test_a_key_of_a_backup_that_would_not_count_here_is_refused(
    world: World, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is set in the environment goes before the file that would be put in its place."""
    instance()
    backup(folder / "one", "--with-keys")
    another = "another one that is long enough to be one, surely"
    monkeypatch.setattr(settings, "SECRET_KEY", another)
    monkeypatch.setenv("SECRET_KEY", another)
    with pytest.raises(BackupRefused, match="environment"):
        restoring.restore(folder / "one", replace=True)
    assert not restoring.mark_path().exists()


def test_an_installation_is_replaced_only_when_somebody_says_so(made: Path) -> None:
    assert databases.holds_something()
    with pytest.raises(BackupRefused, match="--replace"):
        restoring.restore(made, replace=False)
    assert not restoring.mark_path().exists()


def test_a_file_that_is_missing_is_told_and_all_else_is_in_the_backup(world: World, folder: Path) -> None:
    instance()
    lost, kept = a_file(world, "lost.pdf"), a_file(world, "kept.pdf")
    (artifacts.directory() / files.place(lost.pk)).unlink()
    with pytest.raises(CommandError, match="1 files were missing"):
        backup(folder / "one")
    names = [one.name for one in manifest.listed(folder / "one")]
    assert names == [files.place(kept.pk)]
    assert restoring.check(folder / "one").files == 1


def test_a_file_that_a_rule_removes_meanwhile_is_no_damage(
    world: World, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    instance()
    going = a_file(world)
    plain = making._named

    def removed(copied: databases.Snapshot) -> Any:
        files.remove(going, by=None)
        yield from plain(copied)

    monkeypatch.setattr(making, "_named", removed)
    assert "0 files" in backup(folder / "one")
    assert json.loads((folder / "one" / "manifest.json").read_text())["gone"] == 1


def test_nothing_starts_on_what_a_broken_off_restore_has_left(made: Path) -> None:
    restoring._set_mark(made)
    with pytest.raises(ImproperlyConfigured, match="--replace"):
        restoring.refuse_half_restored()


def test_keys_are_in_a_backup_only_when_they_are_asked_for(world: World, folder: Path) -> None:
    instance()
    # As where SECRET_KEY is set in the environment: what lies there from before is not the key.
    (settings.DATA_DIR / "secret_key").write_text("a key of long ago")
    backup(folder / "without")
    backup(folder / "with", "--with-keys")
    assert not (folder / "without" / "secret_key").exists()
    assert (folder / "with" / "secret_key").read_text().strip() == settings.SECRET_KEY
    assert restoring.check(folder / "with").keys
    shutil.rmtree(folder / "with")


def test_what_was_restored_is_held_and_its_epoch_is_another(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database itself is put back by real processes: `tests/faults/test_restore.py`."""
    monkeypatch.setattr(databases, "put_back", lambda _path: None)
    monkeypatch.setattr(restoring, "call_command", lambda *_arguments, **_options: None)
    shutil.rmtree(artifacts.directory())
    artifacts._DURABLE.clear()
    epoch = Instance.objects.get().epoch
    restoring.restore(made, replace=True)
    held = Instance.objects.get()
    assert held.held_since is not None
    assert held.epoch == epoch + 1
    assert restores.epoch() is None
    assert files.verify() == []
    assert artifacts.verify() == []
    assert Artifact.objects.exists()
    assert not restoring.mark_path().exists()
    row = AuditRow.objects.get(verb="installation.backup_restored")
    assert json.loads(row.detail)["sha256"] == manifest.digest_of(made / "manifest.json")
