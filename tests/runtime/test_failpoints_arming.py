from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import OperationalError, transaction
from django.db.utils import ProgrammingError

from runtime.store import failpoints
from runtime.store.commits import commit, listen
from runtime.store.models import Instance

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def a_test_build(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MILLRACE_TEST_BUILD", "1")


class TestReading:
    def test_every_action_is_understood(self) -> None:
        text = "step.effect:after=kill@nth(3); run.claim:before=sleep(200);run.finish:after=raise,"
        with pytest.raises(ValueError, match="cannot read"):
            failpoints.parse(text)
        actions = failpoints.parse(text.rstrip(","))
        assert actions["step.effect:after"] == failpoints.Action("kill", 0, 3)
        assert actions["run.claim:before"] == failpoints.Action("sleep", 200, None)
        assert actions["run.finish:after"] == failpoints.Action("raise", 0, None)

    @pytest.mark.parametrize("text", ["step.efect:after=kill", "step.effect=kill", "step.effect:after=explode"])
    def test_a_point_or_action_that_does_not_exist_is_refused_by_name(self, text: str) -> None:
        with pytest.raises(ValueError, match="FAILPOINTS"):
            failpoints.parse(text)

    def test_a_product_that_is_no_test_build_refuses_to_be_armed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("MILLRACE_TEST_BUILD")
        with pytest.raises(RuntimeError, match="MILLRACE_TEST_BUILD"):
            failpoints.arm("step.effect:after=kill")
        assert not failpoints.armed()

    def test_a_process_that_is_no_test_build_does_not_start_with_one(self) -> None:
        environment = {**os.environ, "FAILPOINTS": "step.effect:after=kill"}
        environment.pop("MILLRACE_TEST_BUILD")
        ended = subprocess.run(
            [sys.executable, "-c", "import runtime.store.failpoints"],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 1
        assert "MILLRACE_TEST_BUILD" in ended.stderr


class TestHitting:
    def test_only_the_nth_hit_acts(self) -> None:
        failpoints.arm("step.effect:before=raise@nth(2)")
        failpoints.hit("step.effect:before")
        with pytest.raises(OperationalError):
            failpoints.hit("step.effect:before")
        failpoints.hit("step.effect:before")
        failpoints.hit("step.effect:after")

    def test_a_hit_that_acts_is_on_the_disk_first(self, tmp_path: Path) -> None:
        log = tmp_path / "hits"
        environment = {
            **os.environ,
            "MILLRACE_TEST_BUILD": "1",
            "FAILPOINTS": "step.effect:after=kill@nth(2)",
            "FAILPOINTS_LOG": str(log),
        }
        ended = subprocess.run(
            [
                sys.executable,
                "-c",
                "from runtime.store.failpoints import hit\nfor _ in range(3): hit('step.effect:after')",
            ],
            cwd=ROOT,
            env=environment,
            check=False,
        )
        assert ended.returncode == -signal.SIGKILL
        (line,) = log.read_text().splitlines()
        assert line.startswith("step.effect:after kill 2 ")

    def test_leaving_the_process_cleans_nothing_up(self) -> None:
        environment = {**os.environ, "MILLRACE_TEST_BUILD": "1", "FAILPOINTS": "step.effect:before=exit"}
        program = "import atexit\nfrom runtime.store.failpoints import hit\natexit.register(print, 'tidied')\n"
        ended = subprocess.run(
            [sys.executable, "-c", program + "hit('step.effect:before')"],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            check=False,
        )
        assert (ended.returncode, ended.stdout) == (0, b"")


@pytest.mark.django_db(transaction=True)
class TestCommit:
    def test_nothing_stands_when_the_point_before_fails(self) -> None:
        failpoints.arm("instance.create:before=raise")
        with pytest.raises(OperationalError), commit("instance.create"):
            Instance.objects.create(key_secret="s", created_at=1)
        assert not Instance.objects.exists()

    def test_everything_stands_when_the_point_behind_fails(self) -> None:
        failpoints.arm("instance.create:after=raise")
        with pytest.raises(OperationalError), commit("instance.create"):
            Instance.objects.create(key_secret="s", created_at=1)
        assert Instance.objects.exists()

    def test_a_commit_point_cannot_become_a_savepoint(self) -> None:
        with pytest.raises(RuntimeError, match="durable"), transaction.atomic(), commit("instance.create"):
            raise AssertionError("the block must not be entered")

    def test_a_point_that_nobody_listed_is_refused(self) -> None:
        with pytest.raises(ValueError, match=r"no\.such"), commit("no.such"):
            raise AssertionError("the block must not be entered")

    def test_who_listens_hears_of_commits_and_not_of_failures(self) -> None:
        heard: list[str] = []
        stop = listen("instance.create", lambda: heard.append("now"))
        try:
            with pytest.raises(ProgrammingError), commit("instance.create"):
                raise ProgrammingError
            assert heard == []
            with commit("instance.create"):
                pass
            assert heard == ["now"]
        finally:
            stop()
        with commit("instance.create"):
            pass
        assert heard == ["now"]


def test_only_the_commit_helper_opens_transactions() -> None:
    allowed = {"runtime/store/commits.py", "runtime/store/link_sqlite.py", "runtime/store/link_postgres.py"}
    signs = ("atomic(", '"BEGIN', "set_autocommit", "on_commit(", ".commit()", "savepoint")
    offenders = [
        f"{path.relative_to(ROOT)}: {sign}"
        for path in sorted((ROOT / "runtime").rglob("*.py"))
        if str(path.relative_to(ROOT)) not in allowed and "migrations" not in path.parts
        for sign in signs
        if sign in path.read_text(encoding="utf-8")
    ]
    assert offenders == []
