"""Sealing and opening of secrets: AES-256-GCM, a key id in the token, the record's place as associated data.

A token reads `v1.<key id>.<base64url of nonce and ciphertext>`. Because workspace, record id and kind are
authenticated with it, a token moved to another row or workspace does not open.

The ring of keys is a small file that only its owner may read; the first key seals, all of them open. Every process
notices a changed file before its next use, so keys can be rotated under load.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import secrets
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings


class KeyMissing(Exception):
    """The ring, or the key that sealed this token, is not here."""


class SealBroken(Exception):
    """The token was altered, cut short, or moved from another row."""


@dataclass(frozen=True, slots=True)
class Key:
    """One AES-256 key; `id` is public and stands in every token it sealed."""

    id: str
    secret: bytes
    made_at: str


def new_key() -> Key:
    """A fresh random key."""
    return Key(f"k{secrets.token_hex(4)}", AESGCM.generate_key(256), datetime.now(UTC).isoformat(timespec="seconds"))


class KeyRing:
    """The keys in one file, read again whenever the file changes."""

    def __init__(self, path: Path, *, make: bool) -> None:
        self._path = path
        self._make = make
        self._stamp: tuple[int, int, int] | None = None
        self._keys: tuple[Key, ...] = ()
        self._lock = threading.Lock()

    def keys(self) -> tuple[Key, ...]:
        """All keys, the sealing one first. Raises KeyMissing where there is no readable ring."""
        try:
            status = self._path.stat()
        except FileNotFoundError:
            if not self._make:
                raise KeyMissing(
                    f"There is no key ring at {self._path}. Copy it from the machine that sealed the connections, or "
                    "set CONNECTION_KEYS_FILE; `manage.py rotate_keys --first` makes one for a new installation."
                ) from None
            self.create()
            status = self._path.stat()
        stamp = (status.st_mtime_ns, status.st_ino, status.st_size)
        if stamp != self._stamp:
            with self._lock:
                self._keys = self._read()
                self._stamp = stamp
        return self._keys

    def create(self) -> None:
        """Write a ring with one new key, unless another process was faster."""
        aside = self._aside((new_key(),))
        try:
            os.link(aside, self._path)
        except FileExistsError:
            pass
        finally:
            aside.unlink()

    def replace(self, keys: tuple[Key, ...]) -> None:
        """Put another set of keys in place in one stroke."""
        aside = self._aside(keys)
        os.replace(aside, self._path)
        directory = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

    def _aside(self, keys: tuple[Key, ...]) -> Path:
        aside = self._path.with_name(f"{self._path.name}.{secrets.token_hex(4)}")
        document = {
            "keys": [{"id": k.id, "secret": base64.b64encode(k.secret).decode(), "made_at": k.made_at} for k in keys]
        }
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(document, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        return aside

    def _read(self) -> tuple[Key, ...]:
        if self._path.stat().st_mode & 0o077:
            raise KeyMissing(f"{self._path} can be read by other users of this machine. Run: chmod 600 {self._path}")
        try:
            document = json.loads(self._path.read_text(encoding="utf-8"))
            keys = tuple(
                Key(entry["id"], base64.b64decode(entry["secret"], validate=True), entry.get("made_at", ""))
                for entry in document["keys"]
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise KeyMissing(f"The key ring {self._path} cannot be read ({type(error).__name__}).") from error
        if not keys or any(len(key.secret) != 32 for key in keys):
            raise KeyMissing(f"The key ring {self._path} holds no usable key.")
        return keys


def seal(plain: bytes, *, place: bytes, keys: tuple[Key, ...]) -> tuple[str, str]:
    """The token for `plain` at `place`, and the id of the key that sealed it."""
    key = keys[0]
    nonce = os.urandom(12)
    body = nonce + AESGCM(key.secret).encrypt(nonce, plain, place)
    return f"v1.{key.id}.{base64.urlsafe_b64encode(body).decode()}", key.id


def unseal(token: str, *, place: bytes, keys: tuple[Key, ...]) -> bytes:
    """What was sealed. Raises KeyMissing or SealBroken, and says nothing of the content in either."""
    version, _, rest = token.partition(".")
    key_id, _, encoded = rest.partition(".")
    if version != "v1" or not encoded:
        raise SealBroken("This connection's secret is damaged. Enter it again.")
    key = next((key for key in keys if key.id == key_id), None)
    if key is None:
        raise KeyMissing(
            f"The key {key_id} that sealed this connection is not in the key ring. "
            "Put it back, or enter the secret again."
        )
    try:
        body = base64.urlsafe_b64decode(encoded)
        return AESGCM(key.secret).decrypt(body[:12], body[12:], place)
    except (InvalidTag, ValueError, binascii.Error) as error:
        raise SealBroken(
            "This connection's secret is damaged or belongs to another connection. Enter it again."
        ) from error


def place_of(*, workspace_id: UUID, connection_id: UUID, kind: str) -> bytes:
    """The associated data that binds a token to its row."""
    return f"millrace.connection:{workspace_id}:{connection_id}:{kind}".encode()


_RING: KeyRing | None = None


def ring() -> KeyRing:
    """This process's ring, at the path the settings name."""
    global _RING
    if _RING is None:
        _RING = KeyRing(settings.CONNECTION_KEYS_FILE, make=settings.CONNECTION_KEYS_MADE_HERE)
    return _RING
