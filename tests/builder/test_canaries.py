"""S59, S61: fifty secrets go in, by every door that takes one; then everything that is kept or shown is searched: the
database (with its journal), every file beside it, the logs, Redis, a dump, exports, every page of the API, `/metrics`,
traces, and a backup without keys. None of them is found, in any of the ways in which a secret is usually written."""

from __future__ import annotations

import base64
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from uuid import uuid4

import pytest
import redis

from tests.builder.route_table import ROUTES
from tests.canaries import Canaries, take_in, use
from tests.collector import Collector
from tests.product import Api, Product
from tests.services import PostgresServer, RedisServer

pytestmark = [
    pytest.mark.services,
    pytest.mark.timeout(900),
    pytest.mark.skipif(
        os.environ.get("MILLRACE_TEST_DATABASE") == "postgres",
        reason="starts processes with databases of their own: once is enough",
    ),
]


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as found:
        yield found


@pytest.fixture(params=["sqlite", "postgres"])
def product(request: pytest.FixtureRequest, tmp_path: Path, collector: Collector) -> Iterator[Product]:
    environment = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_BSP_SCHEDULE_DELAY": "200",
        "OTEL_BSP_MAX_QUEUE_SIZE": "100000",
        "PRACTICE_COMPANY": "true",
        "CONNECTION_KEYS_FILE": str(tmp_path / "keys" / "ring.json"),
        "LOG_LEVEL": "DEBUG",
        "METRICS_TOKEN": "a token for metrics that is long enough to be one",
    }
    (tmp_path / "keys").mkdir(mode=0o700)
    if request.param == "sqlite":
        with Product(tmp_path / "data", environment=environment) as running:
            running.start()
            yield running
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    broker: RedisServer = request.getfixturevalue("redis_server")
    name = f"canaries-{uuid4().hex[:8]}"
    with Product(
        tmp_path / "data", database_url=server.create_database(name), redis_url=broker.url, environment=environment
    ) as running:
        running.start()
        yield running
    server.drop_database(name)


#: How to read what Redis keeps, by its type: a dump of it would be compressed.
READ: Final[dict[bytes, tuple[str, ...]]] = {
    b"string": ("GET",),
    b"list": ("LRANGE", "0", "-1"),
    b"hash": ("HGETALL",),
    b"set": ("SMEMBERS",),
    b"zset": ("ZRANGE", "0", "-1"),
    b"stream": ("XRANGE", "-", "+"),
}


def kept_at(store: redis.Redis, key: bytes) -> bytes:
    """All that stands at one key of Redis, as it went in."""
    kind = store.type(key)
    assert isinstance(kind, bytes)
    # It is gone since it was found.
    if kind == b"none":
        return b""
    name, *rest = READ[kind]
    return flat(store.execute_command(name, key, *rest))  # type: ignore[no-untyped-call]


def flat(value: object) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, dict):
        return b" ".join(flat(part) for pair in value.items() for part in pair)
    if isinstance(value, list | tuple | set):
        return b" ".join(flat(part) for part in value)
    return repr(value).encode()


def pages(api: Api, run: str, connection: str, workflow: str) -> Iterator[tuple[str, bytes]]:
    """Everything that the API shows an admin."""
    for row in ROUTES:
        if row.method != "GET":
            continue
        path = f"/api/v1/{row.route}".replace("<uuid:workspace_id>", str(api.workspace))
        path = path.replace("<uuid:run_id>", run).replace("<uuid:connection_id>", connection)
        path = path.replace("<uuid:workflow_id>", workflow).replace("<number:number>", "1")
        path = path.replace("<str:node_id>", "call")
        if "<" not in path:
            yield path, api.client.get(path).content


def test_none_of_fifty_secrets_is_kept_or_shown_anywhere(
    product: Product, collector: Collector, tmp_path: Path
) -> None:
    canaries = Canaries()
    api = product.set_up()
    web = take_in(api, canaries)
    assert canaries.left == 0
    runs = use(api, web)
    looked_at = 0
    for run, connection in zip(runs, web, strict=False):
        workflow = api.call("GET", f"W/runs/{run}")["workflow"]["id"]
        for path, data in pages(api, run, connection, workflow):
            looked_at += 1
            assert canaries.found_in(data) == [], path
    assert looked_at > 300
    for name in ("audit/export?format=csv", "audit/export?format=json"):
        assert canaries.found_in(api.client.get(f"/api/v1/workspaces/{api.workspace}/{name}").content) == [], name
    metrics = api.client.get("/metrics", headers={"Authorization": f"Bearer {product.environment['METRICS_TOKEN']}"})
    assert metrics.status_code == 200
    assert canaries.found_in(metrics.content) == []
    api.close()
    called = ("run", "HTTP GET", "POST /api/v1/workspaces/<uuid:workspace_id>/connections")
    collector.wait(lambda spans: {span.name for span in spans} >= set(called))
    for body in collector.bodies:
        assert canaries.found_in(body) == []

    if not product.embedded:
        store = redis.Redis.from_url(product.redis_url)
        for key in store.scan_iter():
            assert canaries.found_in(key + kept_at(store, key)) == [], key
        dump = subprocess.run(["pg_dump", product.database_url], capture_output=True, check=True).stdout
        assert b"audit_row" in dump
        assert canaries.found_in(dump) == []
    product.manage("backup", str(tmp_path / "backup"))
    files = [path for place in (product.directory, tmp_path / "backup") for path in place.rglob("*") if path.is_file()]
    assert any(path.name in ("database.sqlite3", "database.dump") for path in files)
    for kept_in in files:
        assert canaries.found_in(kept_in.read_bytes()) == [], kept_in
    assert canaries.found_in(product.log.encode()) == []
    # The search itself finds what is there.
    ring = (tmp_path / "keys" / "ring.json").read_bytes()
    assert ring
    assert canaries.found_in(b"x" + canaries.made[7].encode()) == [canaries.made[7]]
    assert canaries.found_in(base64.b64encode(b"user:" + canaries.made[9].encode())) == [canaries.made[9]]
