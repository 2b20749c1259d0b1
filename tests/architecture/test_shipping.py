"""What is shipped fits what stands here: settings are documented, containers start commands that exist."""

from __future__ import annotations

import ast
import os
import re
import secrets
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.architecture.source import ROOT, dotted, tree

OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text(encoding="utf-8"))
ENTRYPOINT = ROOT / "docker" / "entrypoint.sh"
#: Read by test builds only, which `docs/operations.md` names where it says what is refused.
FOR_TESTS = {"MILLRACE_TEST_BUILD", "FAILPOINTS"}


def settings_read() -> set[str]:
    """The environment variables that the settings read."""
    found: set[str] = set()
    for node in ast.walk(tree(ROOT / "builder" / "config" / "settings.py")):
        if isinstance(node, ast.Call) and dotted(node.func).startswith("env."):
            found.update(
                argument.value
                for argument in node.args
                if isinstance(argument, ast.Constant)
                and isinstance(argument.value, str)
                and re.fullmatch(r"[A-Z][A-Z0-9_]+", argument.value)
                and argument.value != "INFO"  # a value, of LOG_LEVEL
            )
    return found


def test_every_setting_is_documented() -> None:
    assert {name for name in settings_read() - FOR_TESTS if f"`{name}`" not in OPERATIONS} == set()


def test_every_documented_setting_is_read() -> None:
    documented = {
        name
        for row in re.findall(r"^\| (`[^|]+) \|", OPERATIONS, re.MULTILINE)
        for name in re.findall(r"`([A-Z][A-Z0-9_]+)`", row)
    }
    assert documented - settings_read() == set()


def test_the_entrypoint_is_a_valid_script_and_knows_every_command_of_the_compose_file() -> None:
    subprocess.run(["sh", "-n", str(ENTRYPOINT)], check=True)
    script = ENTRYPOINT.read_text()
    ours = [service["command"][0] for service in COMPOSE["services"].values() if service.get("image") == "millrace"]
    assert sorted(ours) == ["migrate", "ticker", "web", "worker"]
    for command in (*ours, "embedded"):
        assert re.search(rf"^  {command}\)", script, re.MULTILINE), command
    for command in ("web", "worker", "ticker", "serve"):
        assert (ROOT / "builder" / "config" / "management" / "commands" / f"{command}.py").exists()


def test_containers_run_without_rights_and_write_to_the_data_volume_only() -> None:
    for service in COMPOSE["services"].values():
        if service.get("image") == "millrace":
            assert service["read_only"] is True
            assert service["cap_drop"] == ["ALL"]
            assert service["security_opt"] == ["no-new-privileges:true"]
            assert service["volumes"] == ["data:/data"]
    assert re.search(r"^USER millrace$", (ROOT / "docker" / "Dockerfile").read_text(), re.MULTILINE)


def test_the_image_has_what_pdf_from_html_needs_and_the_step_names_the_same_packages() -> None:
    """`make html-pdf`, the build machine and the image know the same."""
    image = (ROOT / "docker" / "Dockerfile").read_text()
    packages = {"libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0"}
    assert "requirements-html-pdf.lock" in image
    said = [image, (ROOT / "docs" / "documents.md").read_text(), (ROOT / ".ci" / "run").read_text()]
    said.append((ROOT / "runtime" / "documents" / "html.py").read_text())
    for text in said:
        assert {name for name in packages if name not in text} == set()


def test_no_secret_is_written_into_the_image_or_the_compose_file() -> None:
    example = (ROOT / "docker" / "millrace.env.example").read_text()
    for name in ("SECRET_KEY", "POSTGRES_PASSWORD", "REDIS_PASSWORD"):
        assert re.search(rf"^{name}=$", example, re.MULTILINE), name
    assert not re.search(r"(?i)(password|secret_key)\s*[:=]\s*\w{6,}", (ROOT / "docker" / "Dockerfile").read_text())


@pytest.mark.parametrize("words", [["migrate", "--check"], ["check"]], ids=lambda words: words[0])
def test_the_entrypoint_runs_here_as_in_a_container(words: list[str], tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "MILLRACE_HOME": str(ROOT),
        "DATA_DIR": str(tmp_path / "data"),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "DJANGO_SETTINGS_MODULE": "builder.config.settings",
    }
    for name in ("DATABASE_URL", "REDIS_URL"):
        environment.pop(name, None)
    done = subprocess.run(["sh", str(ENTRYPOINT), *words], env=environment, capture_output=True, text=True, check=False)
    # `migrate --check` answers 1 on an empty database: it ran, and looked.
    assert done.returncode == (1 if words[0] == "migrate" else 0), done.stdout + done.stderr


def test_djangos_own_check_of_a_deployment_finds_nothing(tmp_path: Path) -> None:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("MILLRACE_", "DJANGO_"))},
        "DATA_DIR": str(tmp_path / "data"),
        "PUBLIC_URL": "https://millrace.example.com",
        "SECRET_KEY": secrets.token_urlsafe(48),
        "DATABASE_URL": "postgresql://nobody:none@127.0.0.1:1/none",
        "REDIS_URL": "redis://127.0.0.1:1/0",
    }
    command = [sys.executable, "manage.py", "check", "--deploy"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    # W021: only who owns a whole domain may put it on the browsers' preload list.
    assert set(re.findall(r"\((\w+\.[WE]\d+)\)", done.stderr)) <= {"security.W021"}
