"""Fixtures of the tests that run whole workflows: a machine, and the practice company as the world outside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from runtime.queue import broker
from tests.runtime.machine import Machine

ROOT = Path(__file__).resolve().parents[2]


class World:
    """The practice company, asked directly."""

    def __init__(self, port: int, smtp_port: int) -> None:
        self.port = port
        self.smtp_port = smtp_port
        #: As steps reach it.
        self.url = "http://practice-company"

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def calls(self, key: str) -> list[dict[str, Any]]:
        """The calls made with this key, oldest first."""
        found: list[dict[str, Any]] = self.ask("GET", f"/calls?key={key}")["items"]
        return sorted(found, key=lambda call: int(call["seq"]))

    def invoices(self, order: str) -> list[dict[str, Any]]:
        return [one for one in self.ask("GET", "/invoices")["items"] if one["order_number"] == order]


@pytest.fixture(scope="session")
def open_company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    data = tmp_path_factory.mktemp("practice")
    process = subprocess.Popen(
        [sys.executable, "-m", "builder.practice", "--port", "0", "--smtp-port", "0", "--data", str(data)],
        stdout=subprocess.PIPE,
        cwd=ROOT,
    )
    assert process.stdout is not None
    news = json.loads(process.stdout.readline())
    yield World(news["port"], news["smtp_port"])
    process.terminate()
    process.wait(60)
    process.stdout.close()


@pytest.fixture
def world(open_company: World, settings: Settings) -> World:
    settings.PRACTICE_COMPANY = True
    settings.PRACTICE_ADDRESS = ("127.0.0.1", open_company.port)
    settings.PRACTICE_SMTP_ADDRESS = ("127.0.0.1", open_company.smtp_port)
    return open_company


@pytest.fixture
def idle_machine(
    request: pytest.FixtureRequest, transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Machine]:
    """A machine that the test starts itself. MILLRACE_TEST_BROKER=off silences the doorbell, not the sweep."""
    if os.environ.get("MILLRACE_TEST_BROKER") == "off":
        monkeypatch.setenv("MILLRACE_BROKER", "off")
    for outside in ("world", "target"):
        if outside in request.fixturenames:
            request.getfixturevalue(outside)  # a machine reads the settings when it starts
    made = Machine()
    yield made
    made.stop(0.2)
    broker.cache_clear()


@pytest.fixture(params=[False, True], ids=["keeps", "reloads"])
def any_machine(request: pytest.FixtureRequest, idle_machine: Machine) -> Machine:
    """A machine; and one that forgets everything after each commit."""
    idle_machine.start(reloads=request.param)
    return idle_machine


@pytest.fixture
def machine(idle_machine: Machine) -> Machine:
    """A machine that runs."""
    idle_machine.start()
    return idle_machine
