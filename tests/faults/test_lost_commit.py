"""F25: what a writer believes of a COMMIT that got no answer because the server crashed."""

from __future__ import annotations

from contextlib import closing

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from runtime.store.link_postgres import PostgresLink
from tests.faults.servers import BreakablePostgres

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]

TABLE = "CREATE TABLE store_commitmark (link varchar(32) PRIMARY KEY, number bigint NOT NULL, at bigint NOT NULL)"


def test_a_number_that_a_crash_gives_out_again_is_not_taken_for_ones_own() -> None:
    server = BreakablePostgres()
    try:
        parameters = dict(conninfo_to_dict(server.url))
        with psycopg.connect(server.url, autocommit=True) as plain:
            plain.execute(TABLE)
            plain.execute("CHECKPOINT")
        lost = PostgresLink(parameters)
        lost.begin()
        lost.commit()
        lost.begin()
        asked = lost.transaction_id()
        other = psycopg.connect(server.url, autocommit=True)
        other.execute("CHECKPOINT")
        other.execute("BEGIN")
        row = other.execute("SELECT pg_current_xact_id()::text").fetchone()
        server.crash()
        other.close()
        server.start()
        later = PostgresLink(parameters)
        later.begin()
        later.commit()
        # The server itself would call a lost transaction committed: its number was given out again.
        assert row is not None
        assert later.query("SELECT pg_xact_status(%s::text::xid8)", row) == [("committed",)]
        assert asked is not None
        assert later.was_committed(asked) is False
        committed = later.transaction_id()
        assert committed is not None
        with closing(PostgresLink(parameters)) as another:
            assert another.was_committed(committed) is True
        lost.close()
        later.close()
    finally:
        server.close()
