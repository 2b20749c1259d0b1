from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from runtime.worker.egress import Egress
from tests.nodes.servers import HOST, HttpServer, http_server


@pytest.fixture
def server() -> Iterator[HttpServer]:
    with http_server() as found:
        yield found


@pytest.fixture
async def doors(server: HttpServer) -> AsyncIterator[Egress]:
    egress = Egress.make(named={HOST: ("127.0.0.1", server.port)})
    yield egress
    await egress.aclose()
