"""Reading the environment, failing loudly.

A blank value counts as unset. A message names the variable, the value and the choice; secrets are never quoted.
"""

from __future__ import annotations

import base64
import contextlib
import importlib.util
import ipaddress
import os
import re
import secrets
import stat
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from runtime.ports import Post

_SHORTEST_SECRET: Final = 32


class Storage(NamedTuple):
    """An object storage, and the folder of its bucket that is ours. `by_host`: the bucket stands before the host."""

    endpoint: str
    region: str
    bucket: str
    folder: str
    access_key: str
    secret_key: str
    by_host: bool


class Traces(NamedTuple):
    """Whom spans are sent to and how: the collector's address, headers, this service's name, which share of the traces;
    so many wait at most, so many are sent at a time, this often (ms). `hosts` are told which trace a request is of."""

    endpoint: str
    headers: tuple[tuple[str, str], ...]
    name: str
    sampler: str
    ratio: float
    most: int
    portion: int
    delay_ms: int
    hosts: tuple[str, ...]


_SAMPLERS: Final = ("always_on", "always_off", "traceidratio")
_HEADER: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_FEWEST_CHARACTERS: Final = 8


def text(name: str, default: str = "") -> str:
    """The variable's text without surrounding blanks, or the default where it is unset or blank."""
    return os.environ.get(name, "").strip() or default


def flag(name: str, default: bool) -> bool:
    """A yes-or-no variable: `true` or `false`, nothing else."""
    value = text(name)
    match value.lower():
        case "":
            return default
        case "true" | "1":
            return True
        case "false" | "0":
            return False
        case _:
            raise ImproperlyConfigured(f'{name}={value}: use "true" or "false".')


def whole_number(name: str, default: int, *, least: int, most: int) -> int:
    """A whole number within bounds."""
    value = text(name)
    if not value:
        return default
    if not value.isascii() or not value.isdigit() or not least <= int(value) <= most:
        raise ImproperlyConfigured(f"{name}={value}: use a whole number from {least} to {most}.")
    return int(value)


def names(name: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
    """A list separated by commas."""
    value = text(name)
    return tuple(part.strip() for part in value.split(",") if part.strip()) if value else default


def networks(name: str) -> tuple[str, ...]:
    """A list of addresses or networks separated by commas, such as `10.0.0.1,10.20.0.0/16`."""
    found = names(name)
    for entry in found:
        try:
            ipaddress.ip_network(entry, strict=False)
        except ValueError as error:
            raise ImproperlyConfigured(f"{name}={entry}: use addresses or networks such as 10.20.0.0/16.") from error
    return found


def folders(name: str) -> tuple[str, ...]:
    """A list of folders separated by commas, each from the beginning, such as `/srv/exchange,/mnt/bank`."""
    found = names(name)
    for entry in found:
        if not entry.startswith("/") or ".." in entry.split("/") or entry.strip("/") == "":
            raise ImproperlyConfigured(f"{name}={entry}: use folders such as /srv/exchange.")
    return found


def secret(*variables: str) -> str:
    """The first of these secrets that is set, in the variable itself or in the file that `<name>_FILE` points to."""
    for name in variables:
        if value := text(name):
            return value
        if path := text(f"{name}_FILE"):
            try:
                content = Path(path).read_text(encoding="utf-8").strip()
            except OSError as error:
                raise ImproperlyConfigured(
                    f"{name}_FILE={path}: the file cannot be read ({error.strerror})."
                ) from error
            if not content:
                raise ImproperlyConfigured(f"{name}_FILE={path}: the file is empty.")
            return content
    return ""


def address(name: str, default: tuple[str, int]) -> tuple[str, int]:
    """A `host:port` pair."""
    value = text(name)
    if not value:
        return default
    host, separator, port = value.rpartition(":")
    if not separator or not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise ImproperlyConfigured(f"{name}={value}: use host:port, for example 127.0.0.1:8000.")
    return host.strip("[]"), int(port)


def private_directory(path: Path) -> Path:
    """The directory, made if need be, readable by nobody but its owner."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ImproperlyConfigured(
            f"DATA_DIR={path}: this cannot be made or is no directory ({error.strerror}). Choose a directory that the "
            "user that runs Millrace may write to."
        ) from error
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        raise ImproperlyConfigured(
            f"DATA_DIR={path}: the user that runs Millrace may not write there. Choose another directory."
        )
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        try:
            path.chmod(0o700)
        except OSError as error:
            raise ImproperlyConfigured(
                f"DATA_DIR={path}: other users of this machine can read it and its mode cannot be changed "
                f"({error.strerror}). Use a directory that belongs to the user that runs Millrace."
            ) from error
    return path


def private_file(path: Path, make: str | None = None) -> str:
    """The text of a file that only its owner may read; made with `make` where it is missing and `make` is given."""
    if make is not None and not path.exists():
        # A second process that starts at the same moment must not see half a file: write aside, link into place.
        aside = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(make)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(aside, path)
        aside.unlink()
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise ImproperlyConfigured(f"{path}: other users of this machine can read this secret. Run: chmod 600 {path}")
    return path.read_text(encoding="utf-8").strip()


def strong_secret(name: str, value: str) -> str:
    """The secret, unless it is short or repeats a few characters."""
    if len(value) < _SHORTEST_SECRET:
        raise ImproperlyConfigured(f"{name} is shorter than {_SHORTEST_SECRET} characters: it can be guessed.")
    if len(set(value)) < _FEWEST_CHARACTERS:
        raise ImproperlyConfigured(f"{name} repeats the same few characters: it can be guessed.")
    return value


def redis_address(url: str) -> str:
    """A Redis address such as `redis://:password@host:6379/0`; empty stays empty."""
    if url:
        try:
            parts = urlsplit(url)
            _ = parts.port
        except ValueError as error:
            raise ImproperlyConfigured("REDIS_URL: the port is not a number from 1 to 65535.") from error
        if parts.scheme not in ("redis", "rediss", "unix"):
            raise ImproperlyConfigured(
                f"REDIS_URL begins with {parts.scheme or 'nothing'}: use redis://…, or rediss:// for TLS."
            )
    return url


def new_secret() -> str:
    """Fifty characters nobody can guess."""
    return base64.urlsafe_b64encode(secrets.token_bytes(38)).decode().rstrip("=")


def database(url: str) -> dict[str, Any]:
    """Django's settings for a PostgreSQL address such as `postgresql://user:password@host:5432/name?sslmode=require`."""
    parts = urlsplit(url)
    if parts.scheme not in ("postgres", "postgresql"):
        raise ImproperlyConfigured(
            f"DATABASE_URL begins with {parts.scheme or 'nothing'}: use postgresql://…, or leave it out for SQLite."
        )
    options: dict[str, Any] = dict(parse_qsl(parts.query))
    host = options.pop("host", "") or unquote(parts.hostname or "")
    try:
        port = parts.port
    except ValueError as error:
        raise ImproperlyConfigured("DATABASE_URL: the port is not a number from 1 to 65535.") from error
    name = unquote(parts.path.lstrip("/"))
    if not name:
        raise ImproperlyConfigured("DATABASE_URL names no database: use postgresql://user:password@host:5432/name.")
    options.setdefault("application_name", "millrace")
    options.setdefault("connect_timeout", "5")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(port or ""),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": options,
    }


def sqlite(path: Path) -> dict[str, Any]:
    """Django's settings for the embedded database: every commit is on the disk before it is believed."""
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;PRAGMA wal_autocheckpoint=8000;",
        },
        "TEST": {"NAME": path.with_name(f"test-{path.name}")},
    }


def post(url: str, sender: str) -> Post | None:
    """The installation's own mail server, from an address such as `smtp://user:password@mail.example.com:587`; with
    `smtps://` the line is encrypted from the start, with `smtp://` from STARTTLS on, with `?tls=none` not at all."""
    if not url:
        return None
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError as error:
        raise ImproperlyConfigured("MAIL_URL: the port is not a number from 1 to 65535.") from error
    options = dict(parse_qsl(parts.query))
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname or options.keys() - {"tls"}:
        raise ImproperlyConfigured("MAIL_URL: use smtp://user:password@host:587 or smtps://user:password@host:465.")
    if "@" not in sender:
        raise ImproperlyConfigured("MAIL_FROM: say whom mail comes from, such as Millrace <no-reply@example.com>.")
    secure = parts.scheme == "smtps"
    return Post(
        host=parts.hostname,
        port=port or (465 if secure else 587),
        security="tls" if secure else "none" if options.get("tls") == "none" else "starttls",
        sender=sender,
        username=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
    )


def storage(url: str) -> Storage | None:
    """The object storage for artifacts, from an address such as `s3://key:secret@s3.example.com/bucket/folder?region=…`.

    Options: `region` (us-east-1), `tls=none` (http), `addressing=host` (the bucket's name before the host).
    """
    if not url:
        return None
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError as error:
        raise ImproperlyConfigured("ARTIFACT_STORAGE_URL: the port is not a number from 1 to 65535.") from error
    options = dict(parse_qsl(parts.query))
    bucket, _, folder = parts.path.strip("/").partition("/")
    known = {"region", "tls", "addressing"}
    if parts.scheme != "s3" or not parts.hostname or not parts.username or not parts.password or not bucket:
        raise ImproperlyConfigured("ARTIFACT_STORAGE_URL: use s3://key:secret@host/bucket or …/bucket/folder.")
    if options.keys() - known or ".." in folder.split("/"):
        raise ImproperlyConfigured("ARTIFACT_STORAGE_URL: its options are region, tls=none and addressing=host.")
    scheme = "http" if options.get("tls") == "none" else "https"
    return Storage(
        endpoint=f"{scheme}://{parts.hostname}" + (f":{port}" if port else ""),
        region=options.get("region", "us-east-1"),
        bucket=bucket,
        folder=folder,
        access_key=unquote(parts.username),
        secret_key=unquote(parts.password),
        by_host=options.get("addressing") == "host",
    )


def traces(
    base: str,
    endpoint: str,
    *,
    headers: str,
    protocol: str,
    exporter: str,
    name: str,
    sampler: str,
    ratio: str,
    batches: tuple[int, int, int],
    hosts: tuple[str, ...],
    disabled: bool,
) -> Traces | None:
    """What the variables of OpenTelemetry say of traces; None where they name no collector, or switch them off.

    `base`: the address to which `/v1/traces` is added; `endpoint`: the whole one, which comes first. `batches`: so many
    spans wait at most, are sent at a time, and how often (ms).
    """
    variable = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT" if endpoint else "OTEL_EXPORTER_OTLP_ENDPOINT"
    if not (base or endpoint) or disabled or exporter == "none":
        return None
    parts = urlsplit(endpoint or base)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ImproperlyConfigured(f"{variable}: use an address such as http://127.0.0.1:4318.")
    if parts.username is not None or parts.password is not None:
        raise ImproperlyConfigured(f"{variable}: credentials do not belong there. Use OTEL_EXPORTER_OTLP_HEADERS.")
    if protocol != "http/protobuf":
        raise ImproperlyConfigured(f"OTEL_EXPORTER_OTLP_PROTOCOL={protocol}: traces are sent as http/protobuf only.")
    if exporter != "otlp":
        raise ImproperlyConfigured(f'OTEL_TRACES_EXPORTER={exporter}: use "otlp", or "none" for no traces.')
    if sampler.removeprefix("parentbased_") not in _SAMPLERS:
        known = ", ".join((*_SAMPLERS, *(f"parentbased_{one}" for one in _SAMPLERS)))
        raise ImproperlyConfigured(f"OTEL_TRACES_SAMPLER={sampler}: use one of {known}.")
    try:
        share = float(ratio or 1)
    except ValueError:
        share = -1
    if not 0 <= share <= 1:
        raise ImproperlyConfigured(f"OTEL_TRACES_SAMPLER_ARG={ratio}: use a number from 0 to 1.")
    pairs = tuple(_header(pair) for pair in headers.split(",") if pair.strip())
    if not _has_traces():
        raise ImproperlyConfigured(
            f"{variable} is set, and what sends traces is not installed. Run “make traces” (or install "
            "requirements-traces.lock) and start Millrace again; or leave the variable out."
        )
    address = endpoint or f"{base.removesuffix('/')}/v1/traces"
    return Traces(address, pairs, name, sampler, share, *batches, tuple(one.lower() for one in hosts))


def _header(pair: str) -> tuple[str, str]:
    name, separator, value = pair.partition("=")
    if not separator or not _HEADER.fullmatch(name.strip()) or not unquote(value).strip().isprintable():
        raise ImproperlyConfigured("OTEL_EXPORTER_OTLP_HEADERS: use name=value,name=value, special characters as %20.")
    return name.strip().lower(), unquote(value).strip()


def _has_traces() -> bool:
    try:
        return all(
            importlib.util.find_spec(name) is not None
            for name in ("opentelemetry.sdk.trace", "opentelemetry.exporter.otlp.proto.http", "requests")
        )
    except ModuleNotFoundError:
        return False


def public_address(value: str, fallback: str) -> str:
    """The address people and webhooks use, without a trailing slash."""
    if not value:
        return fallback
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise ImproperlyConfigured(f"PUBLIC_URL={value}: use an address such as https://millrace.example.com.")
    if parts.path not in ("", "/"):
        raise ImproperlyConfigured(f"PUBLIC_URL={value}: Millrace lives at the root of its host, leave the path out.")
    return f"{parts.scheme}://{parts.netloc}"
