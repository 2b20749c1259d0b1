"""A backup is made and put back by the commands themselves, on both databases: into the installation it came from, and
into a new one. What is put back begins nothing before somebody says so."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.product import ROOT, Product
from tests.services import PostgresServer

pytestmark = [
    pytest.mark.services,
    # Each starts and ends several processes, beside everything else that is tested.
    pytest.mark.timeout(600),
    pytest.mark.skipif(
        os.environ.get("MILLRACE_TEST_DATABASE") == "postgres",
        reason="starts processes with databases of their own: once is enough",
    ),
]


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Product]:
    """An installation that is ready and not running."""
    keys = {"CONNECTION_KEYS_FILE": str(tmp_path / "keys.json"), "SECRET_KEY": "a key of tests, long enough to be one"}
    if request.param == "sqlite":
        yield Product(tmp_path / "data", environment=keys)
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    name = f"backup-{uuid4().hex[:8]}"
    yield Product(tmp_path / "data", database_url=server.create_database(name), environment=keys)
    server.drop_database(name)


def manage(product: Product, *command: str, refused: bool = False) -> str:
    """What a command says."""
    product.directory.mkdir(mode=0o700, exist_ok=True)
    product.choose_ports()
    done = subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=ROOT, env=product.variables(), capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert (done.returncode != 0) == refused, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def test_a_backup_is_put_back_where_it_came_from_and_held(place: Product, tmp_path: Path) -> None:
    manage(place, "migrate", "-v0")
    link = manage(place, "setup_link")
    said = manage(place, "backup", str(tmp_path / "one"))
    assert "SECRET_KEY and the connection keys are not in it" in said
    assert "Whole" in manage(place, "restore", str(tmp_path / "one"), "--check")
    shutil.rmtree(place.directory / "artifacts")
    restored = manage(place, "restore", str(tmp_path / "one"))
    assert "Nothing is begun yet" in restored
    listing = manage(place, "restored")
    assert "--confirm" in listing
    assert "Confirmed" in manage(place, "restored", "--confirm", refused=False)
    assert manage(place, "verify_audit").count("whole") == 1
    assert link
    (tmp_path / "one" / "files.txt").write_text("x 1 ../../etc/passwd\n")
    assert "damaged" in manage(place, "restore", str(tmp_path / "one"), "--replace", refused=True)


def test_what_is_there_stays_where_the_backup_cannot_be_put_back_by_this_machine(
    place: Product, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if place.embedded:
        return
    manage(place, "migrate", "-v0")
    manage(place, "backup", str(tmp_path / "one"))
    monkeypatch.setenv("PATH", str(tmp_path))
    said = manage(place, "restore", str(tmp_path / "one"), "--replace", refused=True)
    assert "pg_restore is not on this machine" in said
    assert not (place.directory / "restoring").exists()
    assert "not known to be a restored backup" in manage(place, "restored")


def test_a_restore_that_was_killed_lets_nothing_start_until_it_is_done(place: Product, tmp_path: Path) -> None:
    manage(place, "migrate", "-v0")
    manage(place, "backup", str(tmp_path / "one"))
    (place.directory / "restoring").write_text(f"{tmp_path / 'one'}\n")
    command = "serve" if place.embedded else "ticker"
    place.redis_url = "" if place.embedded else "redis://127.0.0.1:1/0"
    said = manage(place, command, refused=True)
    assert "did not end" in said
    place.redis_url = ""
    manage(place, "restore", str(tmp_path / "one"))
    assert not (place.directory / "restoring").exists()
