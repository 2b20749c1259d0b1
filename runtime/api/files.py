"""The files of a workspace: listed, taken in, handed out alone or as one archive, removed."""

from __future__ import annotations

import io
import itertools
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from django.db.models import Count, QuerySet, Sum

from runtime.api.cursors import decode, encode, page_size
from runtime.api.rows import DataDamaged
from runtime.contracts import NotFound, Page
from runtime.contracts.files import FileBytes, FileFilters, FileInUse, FileTooLarge, FileTotal, FileView, TooManyFiles
from runtime.sdk.file_sorts import shown_as
from runtime.sdk.files import clean_mime, clean_name, disposition, in_words
from runtime.store import files as store
from runtime.store.artifacts import ArtifactDamaged
from runtime.store.file_lists import Inside
from runtime.store.models import File, Run

#: So many files one archive holds at most: of each its entry at the end is kept until then, a third of a KiB.
MOST_IN_ARCHIVE: Final = 50_000
#: Endings of what is compressed already.
_PACKED: Final = (".zip", ".gz", ".xlsx", ".docx", ".png", ".jpg", ".jpeg", ".webp", ".pdf", ".mp4", ".7z")
_PORTION: Final = 500


def files(
    *, workspace_id: UUID, filters: FileFilters | None = None, after: str | None = None, limit: int = 50
) -> Page[FileView]:
    """Files that are there, newest first. Raises BadCursor."""
    chosen = _chosen(workspace_id, filters or FileFilters())
    last = decode(after)
    if last is not None:
        chosen = chosen.filter(id__lt=last)
    size = page_size(limit)
    rows = list(chosen.order_by("-id")[: size + 1])
    views = _views(rows[:size])
    return Page(views, encode(views[-1].id) if len(rows) > size else None)


def file(*, workspace_id: UUID, file_id: UUID) -> FileView:
    """One file. Raises NotFound."""
    return _views([_row(workspace_id, file_id)])[0]


def add_file(
    *, workspace_id: UUID, name: str, mime: str, read: Callable[[int], bytes], by: UUID | None, size: int | None = None
) -> FileView:
    """Take in a file in portions; durable when this returns.

    `read` gives at most so many bytes, and none at the end; what it raises goes through. `size`: what is said to
    come, where that is known. Raises FileTooLarge before it keeps one byte too many, and StoreUnavailable.
    """
    if size is not None and size > store.most_bytes():
        raise _too_large(store.most_bytes())
    saving = store.Saving()
    try:
        while portion := read(store.PORTION):
            saving.write(portion)
        saving.finish()
    except store.FileTooLarge as error:
        saving.abandon()
        raise _too_large(error.most) from None
    except BaseException:
        saving.abandon()
        raise
    # From here on a crash leaves bytes without a row: the sweep takes them.
    return _view(store.add(saving, workspace_id=workspace_id, name=clean_name(name), mime=clean_mime(mime), by=by))


def open_file(*, workspace_id: UUID, file_id: UUID, show: bool = False) -> FileBytes:
    """A file to be sent; `show`: in the browser, where its bytes are of a sort that can do no harm there, and as that
    sort, whatever the file is called. Raises NotFound."""
    row = _row(workspace_id, file_id)
    view, portions = _view(row), _portions(row)
    if not show:
        return FileBytes(view, disposition(row.name), portions)
    try:
        first = next(portions, b"")
    except DataDamaged:
        # Nothing was sent yet; whoever reads it hears why it breaks off.
        return FileBytes(view, disposition(row.name), _portions(row))
    mime = shown_as(first)
    found = replace(view, mime=mime) if mime else view
    return FileBytes(found, disposition(row.name, inline=bool(mime)), itertools.chain([first], portions))


def files_total(*, workspace_id: UUID, filters: FileFilters) -> FileTotal:
    """How many these are, and how large together."""
    found = _chosen(workspace_id, filters).aggregate(count=Count("pk"), size=Sum("size"))
    return FileTotal(found["count"], int(found["size"] or 0), MOST_IN_ARCHIVE)


def archive(*, workspace_id: UUID, filters: FileFilters) -> Iterator[bytes]:
    """All these files as one ZIP, the oldest first, made while it is sent. Raises NotFound where there are none, and
    TooManyFiles; while it is sent DataDamaged, so that nobody takes a part for the whole."""
    chosen = _chosen(workspace_id, filters)
    count = chosen.count()
    if count == 0:
        raise NotFound("There are no such files.", code="file_not_found")
    if count > MOST_IN_ARCHIVE:
        raise TooManyFiles(
            f"These are {count} files, and an archive holds at most {MOST_IN_ARCHIVE}. Search for fewer.",
            count=count,
            most=MOST_IN_ARCHIVE,
        )
    return _archive(chosen)


def remove_file(*, workspace_id: UUID, file_id: UUID, by: UUID | None) -> None:
    """Remove a file for good. Raises NotFound, and FileInUse while the run that made it is under way."""
    row = _row(workspace_id, file_id)
    if row.run_id is not None and Run.objects.filter(pk=row.run_id, finished_at__isnull=True).exists():
        raise FileInUse("The run that made this file has not ended. Wait for its end, or cancel it.")
    store.remove(row, by=by)


def _chosen(workspace_id: UUID, filters: FileFilters) -> QuerySet[File]:
    chosen = File.objects.filter(workspace_id=workspace_id, removed_at=None)
    if filters.run_id is not None:
        chosen = chosen.filter(Inside(filters.run_id)) if filters.inside else chosen.filter(run_id=filters.run_id)
    if filters.search:
        chosen = chosen.filter(name__icontains=filters.search)
    if filters.ids:
        chosen = chosen.filter(pk__in=filters.ids)
    return chosen


def _row(workspace_id: UUID, file_id: UUID) -> File:
    row = store.found(workspace_id, file_id)
    if row is None:
        raise NotFound("There is no such file.", code="file_not_found")
    return row


def _views(rows: Sequence[File]) -> list[FileView]:
    runs = {row.run_id for row in rows if row.run_id is not None}
    versions = dict(Run.objects.filter(pk__in=runs).values_list("pk", "version_id")) if runs else {}
    return [_view(row, None if row.run_id is None else versions.get(row.run_id)) for row in rows]


def _view(row: File, version_id: UUID | None = None) -> FileView:
    return FileView(
        row.pk, row.name, row.mime, row.size, row.sha256, row.created_at, row.created_by, row.workflow_id, row.run_id,
        row.node_id, version_id,
    )  # fmt: skip


def _portions(row: File) -> Iterator[bytes]:
    try:
        yield from store.portions(row.pk, row.sha256, row.size)
    except ArtifactDamaged as error:
        raise DataDamaged(str(error), artifact=str(row.pk)) from error


class _Out(io.RawIOBase):
    """What the archive is written to: hands on what came since it was last asked, and knows no way back."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self.size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        part = bytes(data)  # type: ignore[call-overload]
        self._parts.append(part)
        self.size += len(part)
        return len(part)

    def taken(self) -> bytes:
        found = b"".join(self._parts)
        self._parts.clear()
        self.size = 0
        return found


def _archive(chosen: QuerySet[File]) -> Iterator[bytes]:
    out = _Out()
    names: dict[str, int] = {}
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
        for row in _by_and_by(chosen):
            portions = _portions(row)
            try:
                first = next(portions, b"")
            except DataDamaged:
                if store.found(row.workspace_id, row.pk) is None:
                    continue  # somebody removed it while the archive was on its way
                raise
            info = zipfile.ZipInfo(_unlike(row.name, names), _date(row.created_at))
            info.compress_type = zipfile.ZIP_STORED if row.name.lower().endswith(_PACKED) else zipfile.ZIP_DEFLATED
            info.external_attr = 0o600 << 16
            info.file_size = row.size
            with packed.open(info, "w") as entry:
                for portion in itertools.chain([first], portions):
                    entry.write(portion)
                    # Thousands of small files are handed on together.
                    if out.size >= store.PORTION:
                        yield out.taken()
    yield out.taken()


def _by_and_by(chosen: QuerySet[File]) -> Iterator[File]:
    """The rows in pages: a caller who reads slowly holds no cursor open."""
    after: UUID | None = None
    while True:
        rows = list((chosen if after is None else chosen.filter(id__gt=after)).order_by("id")[:_PORTION])
        yield from rows
        if len(rows) < _PORTION:
            return
        after = rows[-1].pk


def _unlike(name: str, names: dict[str, int]) -> str:
    """The name, numbered where the archive has it already: some systems know no difference of case."""
    stem, dot, ending = name.rpartition(".") if "." in name else (name, "", "")
    found = name
    while found.lower() in names:
        names[name.lower()] += 1
        found = f"{stem} ({names[name.lower()]}){dot}{ending}"
    names[found.lower()] = 1
    return found


def _date(at: int) -> tuple[int, int, int, int, int, int]:
    when = datetime.fromtimestamp(at / 1000, UTC)
    return when.year, when.month, when.day, when.hour, when.minute, when.second


def _too_large(most: int) -> FileTooLarge:
    return FileTooLarge(f"A file may have at most {in_words(most)}.", most_bytes=most)
