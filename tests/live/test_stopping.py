"""I31 where the steps call the very process that is told to stop: the practice company lives in it."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.product import Product

pytestmark = pytest.mark.timeout(120)


def call(key: str) -> dict[str, Any]:
    """A step that takes a second at the practice company, and may be tried once only."""
    return {
        "id": key,
        "key": key,
        "name": key,
        "type": "http.request@1",
        "position": {"x": 0, "y": 0},
        "settings": {"retry": {"attempts": 1}},
        "config": {
            "method": "POST",
            "url": "http://practice-company/invoices",
            "headers": [{"name": "X-Practice-Behaviour", "value": "slow=1000"}],
            "body_type": "json",
            "json_body": {"order": "{{ trigger.body.id }}", "customer": "C-200", "amount": "10.00", "currency": "EUR"},
        },
    }


GRAPH = {
    "format": "millrace.workflow",
    "version": 1,
    "nodes": [
        {"id": "w", "key": "w", "name": "w", "type": "trigger.webhook@1", "position": {"x": 0, "y": 0}, "config": {}},
        call("first"),
        call("second"),
    ],
    "edges": [
        {"id": "a", "source": "w", "sourceHandle": "out", "target": "first", "targetHandle": "in"},
        {"id": "b", "source": "first", "sourceHandle": "out", "target": "second", "targetHandle": "in"},
    ],
}


def test_a_clean_stop_consumes_no_try_of_a_step_that_calls_the_stopping_process(tmp_path: Path) -> None:
    with Product(tmp_path / "data") as product:
        product.start()
        with closing(product.set_up()) as api:
            path = api.publish("Stopping", GRAPH).path
        runs = [httpx2.post(product.url + path, json={"id": f"S-{number}"}).json()["run"] for number in range(4)]
        time.sleep(0.4)
        product.stop()
        product.start()
        deadline = time.monotonic() + 90
        left = set(runs)
        while left and time.monotonic() < deadline:
            left = {
                run for run in left if httpx2.get(f"{product.url}/hooks/status/{run}").json()["status"] != "completed"
            }
            time.sleep(0.2)
        assert left == set()
