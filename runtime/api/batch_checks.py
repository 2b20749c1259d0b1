"""Whether the files of a batch are as its manifest says: compared here, or told by somebody who compared them there."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from runtime.api.batches import last_manifest, own_runs, refuse_other_than_lists
from runtime.contracts import NotFound, loads
from runtime.contracts.batches import BatchCheckView, WrongFile
from runtime.engine.jsonprofile import dumps, loads_stored
from runtime.interpreter import manifests
from runtime.ports import PORTS
from runtime.store import files as store
from runtime.store.artifacts import ArtifactDamaged
from runtime.store.commits import commit
from runtime.store.dialect import database_now
from runtime.store.models import BatchCheck, File

__all__ = ["batch_checks", "check_batch", "note_batch_check"]

#: So many files of each sort are named.
_NAMED: Final = 100
_SHOWN: Final = 20
_PORTION: Final = 500
_LONGEST_LINE: Final = 4 * 1024 * 1024


@dataclass(slots=True)
class _Found:
    """What a comparison has come to so far."""

    checked: int = 0
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("missing", "changed", "extra"), 0))
    named: dict[str, list[WrongFile]] = field(default_factory=lambda: {"missing": [], "changed": [], "extra": []})
    problem: str = ""
    signed: bool = False

    def note(self, sort: str, name: str, seq: int | None = None, key: str | None = None) -> None:
        self.counts[sort] += 1
        if len(self.named[sort]) < _NAMED:
            self.named[sort].append(WrongFile(name, seq, key))


def check_batch(*, workspace_id: UUID, run_id: UUID, node: str, by: UUID | None) -> BatchCheckView:
    """Read every file that the manifest kept last names, compare their digests, and note what was found. Raises
    NotFound, also where no manifest was kept."""
    refuse_other_than_lists(workspace_id, run_id, node)
    kept = last_manifest(run_id, node)
    if kept is None:
        raise NotFound("No manifest was kept of this batch. Keep one first.", code="manifest_not_found")
    found = _Found()
    try:
        _compare(found, kept, run_id, node)
    except ArtifactDamaged:
        found.problem = "The manifest's own bytes were changed, or are missing."
    return _noted(workspace_id, run_id, node, kept.sha256, found, by, "server")


def note_batch_check(
    *,
    workspace_id: UUID,
    run_id: UUID,
    node: str,
    sha256: str,
    checked: int,
    missing: Sequence[WrongFile],
    changed: Sequence[WrongFile],
    by: UUID | None,
) -> BatchCheckView:
    """Note what somebody's browser found, who had it compare the files that it was sent with a manifest. Raises
    NotFound."""
    refuse_other_than_lists(workspace_id, run_id, node)
    found = _Found(checked=checked)
    for sort, wrong in (("missing", missing), ("changed", changed)):
        for one in wrong:
            found.note(sort, one.name, one.seq, one.key)
    return _noted(workspace_id, run_id, node, sha256, found, by, "browser")


def batch_checks(*, workspace_id: UUID, run_id: UUID, node: str) -> list[BatchCheckView]:
    """The last ones, the newest first. Raises NotFound."""
    refuse_other_than_lists(workspace_id, run_id, node)
    rows = BatchCheck.objects.filter(workspace_id=workspace_id, run_id=run_id, node_id=node).order_by("-id")
    return [_view(row) for row in rows[:_SHOWN]]


def _compare(found: _Found, kept: File, run_id: UUID, node: str) -> None:
    digest, last, portion = hashlib.sha256(), b"", []
    for number, line in enumerate(_lines(kept)):
        if last:
            digest.update(last)
        last = line
        if number == 0:
            continue
        entry = loads(line.decode())
        if isinstance(entry, dict) and "seq" in entry:
            portion.append(entry)
        if len(portion) == _PORTION:
            _compare_some(found, portion, run_id, node)
            portion = []
    _compare_some(found, portion, run_id, node)
    end = loads(last.decode()) if last else None
    if not isinstance(end, dict) or end.get("sha256") != digest.hexdigest():
        found.problem = "The manifest does not match its own digest: lines were changed, added or left out."
    else:
        found.signed = PORTS.seal.is_genuine(digest.hexdigest(), end.get("signature"))


def _lines(kept: File) -> Iterator[bytes]:
    """The manifest's lines, each with its newline."""
    rest = b""
    for data in store.portions(kept.pk, kept.sha256, kept.size):
        *whole, rest = (rest + data).split(b"\n")
        yield from (line + b"\n" for line in whole)
    if rest:
        yield rest


def _compare_some(found: _Found, entries: Sequence[dict[str, Any]], run_id: UUID, node: str) -> None:
    """The files of these entries with those that are there."""
    if not entries:
        return
    numbers = {int(one["seq"]) - 1: one for one in entries}
    runs = dict(own_runs(run_id, node).filter(item_index__in=list(numbers)).values_list("id", "item_index"))
    owners = manifests.below(list(runs))
    there: dict[int, list[File]] = {}
    for row in File.objects.filter(run_id__in=owners, removed_at=None).exclude(mime=manifests.MIME):
        if row.run_id is not None:
            there.setdefault(int(runs[owners[row.run_id]] or 0), []).append(row)
    for number, entry in numbers.items():
        seq, key, rows = number + 1, entry.get("key"), there.pop(number, [])
        for named in entry["files"]:
            found.checked += 1
            name, sha256 = named["name"], named["sha256"]
            alike = [one for one in rows if one.name == name]
            same = [one for one in alike if one.sha256 == sha256]
            if not alike:
                found.note("missing", name, seq, key)
                continue
            one = (same or alike)[0]
            rows.remove(one)
            standing = store.digest(one.pk)
            if standing is None:
                found.note("missing", name, seq, key)
            elif standing != sha256:
                found.note("changed", name, seq, key)
        for row in rows:
            found.note("extra", row.name, seq, key)


def _noted(
    workspace_id: UUID, run_id: UUID, node: str, sha256: str, found: _Found, by: UUID | None, where: str
) -> BatchCheckView:
    named = {sort: [[one.name, one.seq, one.key] for one in wrong] for sort, wrong in found.named.items()}
    with commit("bulk.check"):
        row = BatchCheck.objects.create(
            workspace_id=workspace_id,
            run_id=run_id,
            node_id=node,
            at=database_now(),
            by=by,
            where=where,
            sha256=sha256,
            signed=found.signed,
            checked=found.checked,
            found=dumps({**named, "problem": found.problem}),
            **found.counts,
        )
    return _view(row)


def _view(row: BatchCheck) -> BatchCheckView:
    named: Any = loads_stored(row.found)
    lists = {sort: tuple(WrongFile(*one) for one in named.get(sort, ())) for sort in ("missing", "changed", "extra")}
    return BatchCheckView(
        row.pk, row.at, row.by, row.where, row.sha256, row.signed, row.checked, row.missing, row.changed, row.extra,
        problem=named.get("problem", ""), **lists,
    )  # fmt: skip
