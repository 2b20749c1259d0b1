"""The embedded database's log is moved into its file beside those who write, and begun anew."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from runtime.store import log_mover
from runtime.store.dialect import Link
from runtime.store.link_sqlite import SqliteLink
from runtime.store.log_mover import LogMover, move


@pytest.fixture
def database(tmp_path: Path) -> dict[str, Any]:
    link = SqliteLink({"database": str(tmp_path / "db.sqlite3")})
    link.query("CREATE TABLE thing (id INTEGER PRIMARY KEY, text TEXT)")
    link.close()
    return {"database": str(tmp_path / "db.sqlite3")}


def _write(link: Link, count: int) -> None:
    for _ in range(count):
        link.begin()
        link.query("INSERT INTO thing (text) VALUES (?)", ("x" * 3000,))
        link.commit()


def _log(database: dict[str, Any]) -> Path:
    return Path(f"{database['database']}-wal")


def test_who_writes_next_begins_the_log_anew(database: dict[str, Any]) -> None:
    writes, moves = SqliteLink(database, patient=False), SqliteLink(database)
    _write(writes, 300)
    grown = _log(database).stat().st_size
    move(moves)
    _write(writes, 300)
    assert _log(database).stat().st_size < grown * 1.2
    assert moves.query("SELECT count(*) FROM thing") == [(600,)]
    for link in (writes, moves):
        link.close()


def test_the_log_stays_short_while_others_write_without_a_pause(
    database: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_mover, "open_link", lambda _: SqliteLink(database))
    mover = LogMover("default")
    rounds = 40

    def writes() -> None:
        link = SqliteLink(database, patient=False)
        for _ in range(rounds):
            _write(link, 50)
            mover.ask()
        link.close()

    writers = [threading.Thread(target=writes)]
    for thread in writers:
        thread.start()
    for thread in writers:
        thread.join()
    mover.close()
    link = SqliteLink(database)
    assert link.query("SELECT count(*) FROM thing") == [(rounds * 50,)]
    # All that was written is more than twenty times as much.
    assert _log(database).stat().st_size < rounds * 50 * 4096 / 3
    link.close()


def test_it_goes_on_where_the_database_could_not_be_opened_once(
    database: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Link] = []
    tried = threading.Semaphore(0)

    def opens(_: str) -> Link:
        tried.release()
        if not opened:
            opened.append(SqliteLink(database))
            raise OSError("not now")
        return opened[0]

    monkeypatch.setattr(log_mover, "open_link", opens)
    writes = SqliteLink(database, patient=False)
    _write(writes, 200)
    grown = _log(database).stat().st_size
    mover = LogMover("default")
    for _ in range(2):
        mover.ask()
        assert tried.acquire(timeout=60)
    mover.close()
    _write(writes, 200)
    assert _log(database).stat().st_size < grown * 1.2
    writes.close()


def test_who_is_closed_does_nothing_more(database: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_mover, "open_link", lambda _: pytest.fail("it went on"))
    mover = LogMover("default")
    mover.close()
    mover.ask()
    assert not any(thread.name == "millrace-log" for thread in threading.enumerate())
