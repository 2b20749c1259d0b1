"""What says of a backup what it is: `manifest.json`, with the digest of everything else in the folder.

It is written last, and the folder gets its name when everything in it is durable: a backup that was broken off has no
manifest, and no name. Files are listed in `files.txt`, a line each: its digest, its size, its name.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

__all__ = ["FILES", "VERSION", "BackupRefused", "Listed", "Manifest", "digest_of", "listed", "read", "write"]

VERSION: Final = 1
MANIFEST: Final = "manifest.json"
FILES: Final = "files.txt"
_PORTION: Final = 1024 * 1024


class BackupRefused(Exception):
    """In a plain sentence, why this is not done."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """`vendor`: sqlite or postgresql; `database`, `database_sha256`: the file it is in. `migrations`: the newest of
    each app. `secret_key`: by what the SECRET_KEY is known again; `connection_keys`: ids of the keys in the ring.
    `keys`: names of key files that are in the folder, with their digests. `gone`: files that were removed while the
    backup was made. Times in UTC, ISO 8601."""

    version: int
    millrace: str
    made_at: str
    vendor: str
    database: str
    database_sha256: str
    database_size: int
    migrations: Mapping[str, str]
    files: int
    files_size: int
    files_sha256: str
    gone: int
    secret_key: str
    connection_keys: tuple[str, ...]
    keys: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Listed:
    """A file of the backup, by its name in the artifact store."""

    sha256: str
    size: int
    name: str


def digest_of(path: Path) -> str:
    """The sha256 of a file, read in portions."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while portion := file.read(_PORTION):
            found.update(portion)
    return found.hexdigest()


def write(folder: Path, manifest: Manifest) -> str:
    """Write it, and return its own digest."""
    path = folder / MANIFEST
    path.write_text(sealed({"what": "a backup of Millrace", **asdict(manifest)}), encoding="utf-8")
    path.chmod(0o600)
    return digest_of(path)


def sealed(document: Mapping[str, object]) -> str:
    """The text of a manifest, with the digest of all else that stands in it."""
    return json.dumps({**document, "sha256": _seal_of(document)}, indent=2, sort_keys=True) + "\n"


def _seal_of(document: Mapping[str, object]) -> str:
    rest = {name: value for name, value in document.items() if name != "sha256"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def read(folder: Path) -> Manifest:
    """Raises BackupRefused where this is no whole backup, or one that this version does not know."""
    path = folder / MANIFEST
    if not path.is_file():
        raise BackupRefused(
            f"{folder} is no backup: it has no {MANIFEST}. One that was broken off has none; make another."
        )
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        version = int(found["version"])
    except (ValueError, KeyError, TypeError) as error:
        raise BackupRefused(f"{path} cannot be read: this backup is damaged.") from error
    if version > VERSION:
        raise BackupRefused(
            f"This backup was made by a newer Millrace ({found.get('millrace', '?')}). Update this one first, then "
            "restore it."
        )
    if found.get("sha256") != _seal_of(found):
        raise BackupRefused(f"{path} is not as it was written: this backup is damaged.")
    try:
        named = {name: found[name] for name in Manifest.__dataclass_fields__}
        return Manifest(**{**named, "connection_keys": tuple(named["connection_keys"])})
    except (KeyError, TypeError) as error:
        raise BackupRefused(f"{path} cannot be read: this backup is damaged.") from error


def listed(folder: Path) -> Iterator[Listed]:
    """The files of a backup, one after another. Raises BackupRefused."""
    with (folder / FILES).open(encoding="ascii") as lines:
        for line in lines:
            sha256, size, name = line.rstrip("\n").split(" ", 2)
            parts = Path(name).parts
            if not parts or ".." in parts or Path(name).is_absolute():
                raise BackupRefused(f"{FILES} names {name!r}, which is no place for a file: this backup is damaged.")
            yield Listed(sha256, int(size), name)
