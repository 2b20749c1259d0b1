"""The disks that a power cut may leave (F28): SIGKILL does not show what was written and never synced.

`powercut.c` writes down what a process does to its files. From that a disk is made as it may be after the power fails
at any moment: what was synced before is there; of everything younger, by chance, each write is there, is not, or is
torn at a sector. Directory entries come and go in order, as journals of file systems keep them, and a sync makes those
before it durable. A disk that lies about syncs is not meant.
"""

from __future__ import annotations

import random
import shutil
import struct
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from tests.faults.processes import HarnessFailed

SECTOR: Final = 512
_HEAD: Final = struct.Struct("<BQQQII")
CREATED, TRUNCATED, WRITTEN, SYNC_BEGAN, SYNCED, RENAMED, UNLINKED, MADE_DIRECTORY, LINKED = range(1, 10)


class Record(NamedTuple):
    """What was done; see `powercut.c`."""

    what: int
    at: int
    inode: int
    offset: int
    path: str
    data: bytes


def compiler() -> str | None:
    """The C compiler of this machine, if it has one."""
    return shutil.which("cc")


def compiled(folder: Path) -> Path:
    """The library to be loaded into the process."""
    library = folder / "powercut.so"
    source = Path(__file__).with_suffix(".c")
    command = [compiler() or "cc", "-O2", "-Wall", "-Werror", "-shared", "-fPIC", "-o", str(library), str(source)]
    done = subprocess.run([*command, "-ldl", "-lpthread"], check=False, capture_output=True, text=True)
    if done.returncode:
        raise HarnessFailed(done.stderr)
    return library


def read(log: Path) -> list[Record]:
    """Everything that was done, in order."""
    return list(_records(log.read_bytes()))


def _records(text: bytes) -> Iterator[Record]:
    place = 0
    while place < len(text):
        what, at, inode, offset, a, b = _HEAD.unpack_from(text, place)
        place += _HEAD.size
        yield Record(what, at, inode, offset, text[place : place + a].decode(), text[place + a : place + a + b])
        place += a + b


@dataclass(slots=True)
class File:
    """A file: what is on the disk for certain, and what was done to it since."""

    sure: bytearray = field(default_factory=bytearray)
    since: list[Record] = field(default_factory=list)


@dataclass(slots=True)
class Disk:
    """What is known of a disk up to some moment."""

    root: Path
    files: dict[int, File] = field(default_factory=dict)
    #: Entries that are there for certain: by path, the inode, or None for a directory.
    sure: dict[str, int | None] = field(default_factory=dict)
    #: What was done to entries since.
    since: list[Record] = field(default_factory=list)
    #: By file, how much had been done to it and to entries when a sync began.
    _began: dict[int, tuple[int, int]] = field(default_factory=dict)
    #: By inode, the file: an inode is used again once its file is gone.
    _names: dict[int, int] = field(default_factory=dict)

    def do(self, record: Record) -> None:
        """One more thing happens."""
        if record.what == CREATED:
            self._names[record.inode] = len(self.files)
        record = record._replace(inode=self._names.setdefault(record.inode, len(self.files)))
        match record.what:
            case 1:
                self._file(record.inode)
                self.since.append(record)
            case 6 | 7 | 8 | 9:
                self.since.append(record)
            case 2 | 3:
                self._file(record.inode).since.append(record)
            case 4:
                self._began[record.inode] = (len(self._file(record.inode).since), len(self.since))
            case 5:
                self._sync(record.inode)

    def _file(self, inode: int) -> File:
        return self.files.setdefault(inode, File())

    def _sync(self, inode: int) -> None:
        count, entries = self._began.pop(inode, (0, 0))
        file = self._file(inode)
        for record in file.since[:count]:
            _apply(file.sure, record, record.data)
        del file.since[:count]
        for record in self.since[:entries]:
            _enter(self.sure, record)
        del self.since[:entries]
        self._began = {
            other: (max(0, done - (count if other == inode else 0)), max(0, known - entries))
            for other, (done, known) in self._began.items()
        }

    def leave(self, target: Path, chance: random.Random | None) -> None:
        """Make the disk below `target` as it may be if the power fails now; without chance, as it is."""
        entries = dict(self.sure)
        for record in self.since[: len(self.since) if chance is None else chance.randint(0, len(self.since))]:
            _enter(entries, record)
        target.mkdir(mode=0o700, parents=True)
        for path, inode in sorted(entries.items(), key=lambda entry: entry[0]):
            place = target / Path(path).relative_to(self.root)
            if inode is None:
                place.mkdir(mode=0o700, exist_ok=True)
            else:
                place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                place.write_bytes(self._content(self._file(inode), chance))
                place.chmod(0o600)

    def _content(self, file: File, chance: random.Random | None) -> bytes:
        content = bytearray(file.sure)
        # A cut that has written nothing, or all but a little of it, is as likely as a ragged one.
        share = 1.0 if chance is None else chance.choice((0.0, 0.5, 0.9, 1.0))
        for record in file.since:
            data = record.data
            if chance is not None and chance.random() >= share:
                if record.what == TRUNCATED or chance.random() < 0.5:
                    continue
                sectors = chance.randint(0, len(data) // SECTOR)
                data = data[: sectors * SECTOR]
            _apply(content, record, data)
        return bytes(content)


def _apply(content: bytearray, record: Record, data: bytes) -> None:
    if record.what == TRUNCATED:
        if len(content) > record.offset:
            del content[record.offset :]
        else:
            content.extend(bytes(record.offset - len(content)))
    elif data:
        if len(content) < record.offset:
            content.extend(bytes(record.offset - len(content)))
        content[record.offset : record.offset + len(data)] = data


def _enter(entries: dict[str, int | None], record: Record) -> None:
    match record.what:
        case 1 | 9:
            entries[record.path] = record.inode
        case 6:
            to = record.data.decode()
            if record.path in entries:
                entries[to] = entries.pop(record.path)
        case 7:
            entries.pop(record.path, None)
        case 8:
            entries[record.path] = None
