"""A practice company of its own, in a process of its own, on free ports."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True, slots=True)
class Company:
    """Where the company can be reached."""

    client: httpx2.Client
    smtp_port: int
    process: subprocess.Popen[bytes]

    def post(self, path: str, body: object, key: str | None = None, behaviour: str = "") -> httpx2.Response:
        headers = {"Idempotency-Key": key} if key else {}
        if behaviour:
            headers["X-Practice-Behaviour"] = behaviour
        return self.client.post(path, json=body, headers=headers)

    def get(self, path: str) -> Any:
        return self.client.get(path).json()


@pytest.fixture
def open_company(tmp_path: Path) -> Iterator[Callable[[], Company]]:
    """Opens a company over one directory, again and again if need be."""
    opened: list[Company] = []

    def open_() -> Company:
        process = subprocess.Popen(
            [sys.executable, "-m", "builder.practice", "--port", "0", "--smtp-port", "0", "--data", str(tmp_path)],
            stdout=subprocess.PIPE,
            cwd=ROOT,
        )
        assert process.stdout is not None
        news = json.loads(process.stdout.readline())
        # Without encryption there is no certificate to check, and none to be read from the disk.
        client = httpx2.Client(base_url=f"http://127.0.0.1:{news['port']}", timeout=10, trust_env=False, verify=False)
        opened.append(Company(client, news["smtp_port"], process))
        return opened[-1]

    yield open_
    for company in opened:
        company.client.close()
        company.process.kill()
        company.process.wait(60)
        if company.process.stdout is not None:
            company.process.stdout.close()


@pytest.fixture
def company(open_company: Callable[[], Company]) -> Company:
    return open_company()
