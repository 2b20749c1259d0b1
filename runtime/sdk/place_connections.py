"""The kinds of connection for places where files are kept: what a person fills in, and what it means."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Literal

from runtime.sdk.addresses import read_address
from runtime.sdk.context import SftpServer, Ways
from runtime.sdk.errors import PermanentError
from runtime.sdk.fields import Config
from runtime.sdk.fields import field as setting
from runtime.sdk.s3 import Bucket

__all__ = [
    "S3",
    "LocalFolder",
    "Sftp",
    "bucket_of",
    "folder_test",
    "place_leads_to",
    "place_problems",
    "s3_test",
    "sftp_server",
    "sftp_test",
    "within",
]  # fmt: skip


class Sftp(Config):
    host: str = setting(title="Server", placeholder="sftp.example.com", order=1, min_length=1, max_length=253)
    port: int = setting(22, title="Port", widget="number", order=2, ge=1, le=65535)
    username: str = setting(title="User name", order=3, min_length=1, max_length=200)
    password: str = setting(
        "", title="Password", widget="secret", help="Or a private key below.", order=4, max_length=2000
    )
    private_key: str = setting(
        "",
        title="Private key",
        widget="secret",
        help="As it stands in its file, from -----BEGIN to -----END. Used in place of the password.",
        hints={"lines": True},
        order=5,
        max_length=20_000,
    )
    passphrase: str = setting("", title="Passphrase of the key", widget="secret", order=6, max_length=2000)
    folder: str = setting(
        "",
        title="Folder",
        help="Where steps save below. Empty: where the account begins.",
        placeholder="/upload/invoices",
        order=7,
        max_length=1000,
    )
    host_key: str = setting(
        "",
        title="Key of the server",
        help="Shown and confirmed when you press Test. No password is sent to a server that shows another one.",
        placeholder="ssh-ed25519 SHA256:…",
        order=8,
        pattern=r"^$|^[a-z0-9@.-]{1,60} SHA256:[A-Za-z0-9+/]{43}$",
        max_length=200,
    )


class S3(Config):
    endpoint: str = setting(
        title="Address",
        help="Of the storage, without the bucket.",
        widget="url",
        placeholder="https://s3.eu-central-1.amazonaws.com",
        order=1,
        min_length=1,
        max_length=500,
    )
    region: str = setting("us-east-1", title="Region", order=2, pattern=r"^[a-z0-9-]{1,60}$")
    bucket: str = setting(title="Bucket", order=3, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{1,62}$")
    folder: str = setting(
        "", title="Folder", help="Where steps save below. Empty: the whole bucket.", order=4, max_length=500
    )
    access_key: str = setting(title="Access key", order=5, min_length=1, max_length=200)
    secret_key: str = setting(title="Secret key", widget="secret", order=6, min_length=1, max_length=500)
    addressing: Literal["path", "host"] = setting(
        "path",
        title="The bucket's name stands",
        widget="choice",
        options=(("path", "after the address (most)"), ("host", "before the host")),
        advanced=True,
        order=7,
    )


class LocalFolder(Config):
    path: str = setting(
        title="Folder",
        help="On the machine that runs Millrace, within what the setting SAVE_FOLDERS opens.",
        placeholder="/srv/exchange/bank",
        order=1,
        min_length=1,
        max_length=1000,
    )


def sftp_server(fields: Mapping[str, Any]) -> SftpServer:
    """Where an ``sftp`` connection keeps files."""
    return SftpServer(
        host=str(fields.get("host", "")),
        port=int(fields.get("port") or 22),
        username=str(fields.get("username", "")),
        host_key=str(fields.get("host_key") or ""),
        password=str(fields.get("password") or ""),
        private_key=str(fields.get("private_key") or ""),
        passphrase=str(fields.get("passphrase") or ""),
        folder=str(fields.get("folder") or ""),
    )


def bucket_of(fields: Mapping[str, Any]) -> Bucket:
    """The bucket of an ``s3`` connection."""
    return Bucket(
        endpoint=str(fields.get("endpoint", "")),
        region=str(fields.get("region") or "us-east-1"),
        name=str(fields.get("bucket", "")),
        access_key=str(fields.get("access_key", "")),
        secret_key=str(fields.get("secret_key", "")),
        by_host=fields.get("addressing") == "host",
    )


def within(fields: Mapping[str, Any], path: str) -> str:
    """A path below the folder of an ``s3`` connection."""
    folder = str(fields.get("folder") or "").strip("/")
    return f"{folder}/{path}" if folder else path


async def sftp_test(fields: Mapping[str, Any], ways: Ways) -> str:
    server = sftp_server(fields)
    async with ways.sftp.open(server, total_seconds=15):
        return f"{server.host} is the one that was confirmed, and it accepted the sign-in."


async def s3_test(fields: Mapping[str, Any], ways: Ways) -> str:
    return await bucket_of(fields).try_out(ways.http, now_ms=int(time.time() * 1000))


async def folder_test(fields: Mapping[str, Any], ways: Ways) -> str:
    path = str(fields.get("path", ""))
    async with ways.folders.open(path):
        return f"{path} is there, and open for steps."


def place_problems(model: type[Config], fields: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """What is wrong with fields that are each well by themselves: (field path, code, sentence)."""
    if issubclass(model, Sftp) and not fields.get("password") and not fields.get("private_key"):
        return [("password", "required", "“Password” needs a value, or “Private key” does.")]
    if issubclass(model, S3):
        try:
            address = read_address(str(fields.get("endpoint", "")))
        except PermanentError as error:
            return [("endpoint", "address", f"“Address”: {error.message}")]
        if address.target not in ("", "/"):
            return [("endpoint", "address", "“Address” ends with the host: the bucket stands in a field of its own.")]
    if issubclass(model, LocalFolder) and not str(fields.get("path", "")).startswith("/"):
        return [("path", "folder", "“Folder” begins with /, like /srv/exchange/bank.")]
    return []


def place_leads_to(model: type[Config], fields: Mapping[str, Any]) -> frozenset[str]:
    """Where the secret may be sent with these fields."""
    if issubclass(model, Sftp):
        server = sftp_server(fields)
        return frozenset({f"sftp://{server.host.strip().lower()}:{server.port}"})
    if issubclass(model, S3):
        address = read_address(str(fields["endpoint"]))
        return frozenset({f"{address.scheme}://{address.host}:{address.port}"})
    return frozenset()
