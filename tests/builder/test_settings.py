"""Settings come from the environment alone, and what is unsafe is refused by name."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
KEY = "a key that nobody will guess, surely"
POSTGRES = "postgresql://millrace:pass@localhost:5432/millrace"
REDIS = "redis://localhost:6379/0"


def settle(directory: Path, show: str = "", **environment: str) -> tuple[int, str]:
    """Read the settings in a process of its own; the exit code, and what `show` prints or the refusal."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    code = f"from builder.config import settings; print({show or 'settings.VERSION'})"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**kept, "DATA_DIR": str(directory / "data"), "PYTHONDONTWRITEBYTECODE": "1", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, (done.stdout if done.returncode == 0 else done.stderr).strip()


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"DATABASE_URL": POSTGRES, "REDIS_URL": REDIS}, "SECRET_KEY is missing"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY is shorter than 32"),
        ({"SECRET_KEY": "k" * 64}, "SECRET_KEY repeats the same few characters"),
        ({"SECRET_KEY_FILE": "/no/such/file"}, "SECRET_KEY_FILE=/no/such/file"),
        ({"WEB_PROCESSES": "2"}, "WEB_PROCESSES=2 without REDIS_URL"),
        ({"WEB_PROCESSES": "many"}, "WEB_PROCESSES=many"),
        ({"RUNS_AT_A_TIME": "0"}, "RUNS_AT_A_TIME=0: use a whole number from 1 to 4096"),
        ({"FAILPOINTS": "run.accept:after=kill"}, "FAILPOINTS is set"),
        ({"DEBUG": "yes"}, 'DEBUG=yes: use "true" or "false"'),
        ({"DEBUG": "true", "SECRET_KEY": KEY, "DATABASE_URL": POSTGRES, "REDIS_URL": REDIS}, "DEBUG=true"),
        ({"SECRET_KEY": KEY, "REDIS_URL": REDIS}, "REDIS_URL without DATABASE_URL"),
        ({"SECRET_KEY": KEY, "DATABASE_URL": "mysql://x/y"}, "DATABASE_URL begins with mysql"),
        ({"SECRET_KEY": KEY, "DATABASE_URL": "postgresql://localhost"}, "DATABASE_URL names no database"),
        ({"SECRET_KEY": KEY, "DATABASE_URL": POSTGRES, "REDIS_URL": "http://:pass@x"}, "REDIS_URL begins with http"),
        ({"SECRET_KEY": KEY, "DATABASE_URL": POSTGRES, "REDIS_URL": "redis://:pass@x:y"}, "REDIS_URL: the port"),
        ({"DATA_DIR": "/dev/null/millrace"}, "DATA_DIR=/dev/null/millrace: this cannot be made"),
        ({"DATA_DIR": "/dev/null"}, "DATA_DIR=/dev/null: this cannot be made or is no directory"),
        ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS=*"),
        ({"PUBLIC_URL": "millrace.example.com"}, "PUBLIC_URL=millrace.example.com"),
        ({"PUBLIC_URL": "https://example.com/millrace"}, "leave the path out"),
        ({"PORT": "0"}, "PORT=0"),
        ({"LOG_LEVEL": "LOUD"}, "LOG_LEVEL=LOUD"),
        ({"TRUSTED_PROXIES": "proxy"}, "TRUSTED_PROXIES=proxy"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4318"}, "OTEL_EXPORTER_OTLP_ENDPOINT: use an address such as"),
        (
            {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://a:b@c"},
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: credentials do not",
        ),
        (
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
            "PROTOCOL=grpc: traces are",
        ),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_TRACES_SAMPLER": "some"}, "OTEL_TRACES_SAMPLER=some: use"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_TRACES_SAMPLER_ARG": "2"}, "SAMPLER_ARG=2: use a number"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_EXPORTER_OTLP_HEADERS": "key"}, "HEADERS: use name=value"),
        ({"SAVE_FOLDERS": "/srv/exchange,exports"}, "SAVE_FOLDERS=exports: use folders such as /srv/exchange"),
        ({"SAVE_FOLDERS": "/srv/../etc"}, "SAVE_FOLDERS=/srv/../etc"),
        ({"SAVE_FOLDERS": "/"}, "SAVE_FOLDERS=/"),
        ({"ARTIFACT_STORAGE_URL": "s3://s3.example.com/b"}, "ARTIFACT_STORAGE_URL: use s3://key:secret@host/bucket"),
        ({"ARTIFACT_STORAGE_URL": "s3://k:s@s3.example.com"}, "ARTIFACT_STORAGE_URL: use s3://key:secret@host/bucket"),
        ({"ARTIFACT_STORAGE_URL": "s3://k:s@s3.example.com/b?acl=all"}, "its options are region, tls=none"),
        ({"EGRESS_ALLOWED_NETWORKS": "10.0.0.0/99"}, "EGRESS_ALLOWED_NETWORKS=10.0.0.0/99"),
        ({"PRACTICE_ADDRESS": "nowhere"}, "PRACTICE_ADDRESS=nowhere"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else value[:24],
)
def test_an_unsafe_or_senseless_setting_is_refused_by_name(
    tmp_path: Path, environment: dict[str, str], words: str
) -> None:
    code, said = settle(tmp_path, **environment)
    assert code != 0
    assert words in said.splitlines()[-1]
    for secret in (KEY, "pass@"):
        assert secret not in said


def test_embedded_makes_its_own_key_that_only_its_owner_reads(tmp_path: Path) -> None:
    code, first = settle(tmp_path, "settings.SECRET_KEY")
    assert code == 0
    assert settle(tmp_path, "settings.SECRET_KEY") == (0, first)
    file = tmp_path / "data" / "secret_key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    file.chmod(0o644)
    code, said = settle(tmp_path)
    assert code != 0
    assert "chmod 600" in said


def test_blank_values_count_as_unset(tmp_path: Path) -> None:
    environment = {"DATABASE_URL": "", "REDIS_URL": " ", "DEBUG": "", "PORT": ""}
    assert settle(tmp_path, "settings.EMBEDDED, settings.PORT", **environment) == (0, "True 8000")


def test_a_tls_address_locks_the_cookies_to_it(tmp_path: Path) -> None:
    show = "settings.SESSION_COOKIE_NAME, settings.SESSION_COOKIE_SECURE, settings.SECURE_HSTS_SECONDS > 0"
    found = settle(tmp_path, show, PUBLIC_URL="https://millrace.example.com")
    assert found == (0, "__Host-millrace_session True True")


def test_scaled_settings_name_postgresql_and_redis(tmp_path: Path) -> None:
    show = "settings.DATABASES['default']['ENGINE'], settings.CHANNEL_LAYERS['default']['BACKEND'], settings.EMBEDDED"
    code, found = settle(tmp_path, show, SECRET_KEY=KEY, DATABASE_URL=POSTGRES, REDIS_URL=REDIS)
    assert (code, found) == (
        0,
        "django.db.backends.postgresql channels_redis.pubsub.RedisPubSubChannelLayer False",
    )


def test_sqlite_puts_every_commit_on_the_disk(tmp_path: Path) -> None:
    code, found = settle(tmp_path, "settings.DATABASES['default']['OPTIONS']")
    assert code == 0
    for word in ("IMMEDIATE", "journal_mode=WAL", "synchronous=FULL"):
        assert word in found


def refused(directory: Path, command: str, **environment: str) -> str:
    """The one line that a command which does not start prints."""
    done = subprocess.run(
        [sys.executable, "manage.py", command],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "DATA_DIR": str(directory / "data"), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    return line


@pytest.mark.parametrize("command", ["web", "worker", "ticker"])
def test_one_of_many_refuses_to_run_alone(tmp_path: Path, command: str) -> None:
    assert "needs DATABASE_URL and REDIS_URL" in refused(tmp_path, command)


@pytest.mark.parametrize("command", ["serve", "web", "worker", "ticker", "migrate"])
def test_a_database_that_cannot_be_reached_is_one_sentence_without_its_password(tmp_path: Path, command: str) -> None:
    scaled = {"REDIS_URL": "redis://:secret-word@127.0.0.1:1"} if command != "serve" else {}
    url = "postgresql://millrace:secret-word@127.0.0.1:1/books"
    said = refused(tmp_path, command, SECRET_KEY=KEY, DATABASE_URL=url, **scaled)
    assert said.startswith("Millrace does not start. DATABASE_URL: the database books at 127.0.0.1:1 cannot be used (")
    assert "refused" in said
    assert "secret-word" not in said


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"PORT": "0"}, "PORT=0: use a whole number"),
        ({"DATA_DIR": "/dev/null/millrace"}, "DATA_DIR=/dev/null/millrace: "),
        ({"SECRET_KEY": "k" * 64}, "SECRET_KEY repeats"),
    ],
    ids=["port", "directory", "key"],
)
def test_a_refused_setting_is_one_sentence_on_the_terminal(
    tmp_path: Path, environment: dict[str, str], words: str
) -> None:
    assert refused(tmp_path, "serve", **environment).startswith(f"Millrace does not start. {words}")


def test_a_database_file_that_is_none_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "data" / "millrace.sqlite3").mkdir(parents=True)
    said = refused(tmp_path, "serve")
    assert said.startswith(f"Millrace does not start. DATA_DIR={tmp_path / 'data'}: the database file there cannot")


@pytest.mark.parametrize(
    ("environment", "where"),
    [
        ({}, "None"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318/"}, "http://c:4318/v1/traces"),
        (
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://d/t"},
            "https://d/t",
        ),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_SDK_DISABLED": "true"}, "None"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_TRACES_EXPORTER": "none"}, "None"),
    ],
)
def test_traces_go_where_the_variables_of_opentelemetry_say(
    tmp_path: Path, environment: dict[str, str], where: str
) -> None:
    assert settle(tmp_path, "settings.TRACES and settings.TRACES.endpoint", **environment) == (0, where)
