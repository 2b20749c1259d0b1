"""The manifest of a batch: one line of JSON for each entry of a container's list, and one at the end that seals them.

    {"millrace": "manifest", "version": 1, "batch": "…", …}
    {"seq": 1, "key": "S-0001", "status": "done", …, "files": [{"name": "…", "size": 1200, "sha256": "…"}]}
    …
    {"end": true, "items": 12000, "done": 11880, …, "sha256": "…", "signature": {…}}

`sha256` of the last line is of all bytes before it, newlines included: so a few lines of code check the whole with
nothing but that (`docs/manifest.md`). Entries stand in their order, each once, and nothing but times, tries and digests
of results differs where the same entries are done once more. It is read in portions, so it costs the same memory
however long it is.
"""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db.models import F, Sum

from runtime.engine.graph import Graph
from runtime.engine.jsonprofile import JSON, dumps
from runtime.engine.state import Outcome
from runtime.interpreter.own_left_out import told
from runtime.interpreter.payloads import reference_in
from runtime.interpreter.versions import parsed
from runtime.ports import PORTS
from runtime.store import batches, failpoints, files, left_out, readings
from runtime.store.children import MOST_DEEP
from runtime.store.commits import commit
from runtime.store.dialect import database_now
from runtime.store.models import File, ItemAmount, Run, StepRun
from runtime.store.records import FileWrite

__all__ = ["MIME", "Kept", "add", "below", "keep", "lines", "outputs_of", "status_of"]

MIME: Final = "application/vnd.millrace.manifest"
_PORTION: Final = 500
#: A person left it out; what came twice and was passed over has no line, and is counted beside these.
_LEFT_OUT: Final = "skipped"
_STATUSES: Final = {"completed": "done", "compensated": "undone", "cancelled": "cancelled"}


@dataclass(frozen=True, slots=True)
class Kept:
    """A manifest that stands in the artifact store, and whose row comes with the next commit."""

    write: FileWrite
    counts: Mapping[str, int]

    def as_json(self) -> dict[str, JSON]:
        """The file, as data shows it."""
        one = self.write
        return {"id": str(one.id), "name": one.name, "mime": one.mime, "size": one.size, "sha256": one.sha256}


def keep(run_id: UUID, node: str, key: str, generation: int, skipped: int | None = None, *, workspace_id: UUID) -> Kept:
    """Write the manifest of this step's entries, as they stand. `skipped`: so many came twice and were passed over,
    where that is not on record yet. Raises StoreUnavailable."""
    saving = files.Saving()
    counts: Counter[str] = Counter()
    try:
        failpoints.hit("bulk.manifest_write:before")
        for line in lines(workspace_id, run_id, node, counts, skipped):
            saving.write(line)
        saving.finish()
        failpoints.hit("bulk.manifest_write:after")
    except BaseException:
        saving.abandon()
        raise
    name = f"{key}-manifest.jsonl"
    write = FileWrite(saving.id, node, generation, name, MIME, saving.size, saving.sha256)
    return Kept(write, counts)


def add(workspace_id: UUID, workflow_id: UUID, run_id: UUID, kept: Kept) -> None:
    """The row of a manifest that is kept by itself."""
    one = kept.write
    with commit("bulk.manifest_commit"):
        File.objects.create(
            id=one.id,
            workspace_id=workspace_id,
            workflow_id=workflow_id,
            run_id=run_id,
            node_id=one.node_id,
            generation=one.generation,
            name=one.name,
            mime=one.mime,
            size=one.size,
            sha256=one.sha256,
            created_at=database_now(),
        )


def lines(
    workspace_id: UUID, run_id: UUID, node: str, counts: Counter[str] | None = None, skipped: int | None = None
) -> Iterator[bytes]:
    """The manifest line by line. `counts`: counted into, by status."""
    run = Run.objects.values("workflow_id", "version_id", "started_at", "accepted_at").get(
        workspace_id=workspace_id, pk=run_id
    )
    version = parsed(run["version_id"])
    counted: Counter[str] = Counter() if counts is None else counts
    sums: dict[str, int] = {}
    digest = hashlib.sha256()
    head = {
        "millrace": "manifest",
        "version": 1,
        "batch": f"{run_id}/{node}",
        "workflow": str(run["workflow_id"]),
        "workflow_version": version.number,
        "step": version.keys.get(node, node),
        "accepted": run["accepted_at"],
    }
    for one in itertools.chain((head,), _entries(run_id, node, counted, sums)):
        line = dumps(one).encode() + b"\n"
        digest.update(line)
        yield line
    passed_over = readings.skipped(run_id, node) if skipped is None else skipped
    names = ("done", "failed", "skipped", "open", "undone", "cancelled")
    end: dict[str, Any] = {"end": True, "items": counted.total()}
    counted[_LEFT_OUT] += passed_over
    end |= {name: counted[name] for name in names}
    end["totals"] = {currency: batches.decimal_of(amount) for currency, amount in sorted(sums.items())}
    end["sha256"] = digest.hexdigest()
    end["signature"] = PORTS.seal.sign(end["sha256"])
    yield dumps(end).encode() + b"\n"


def _own(run_id: UUID, node: str) -> Any:
    return Run.objects.filter(parent_run_id=run_id, parent_node=node)


def _entries(run_id: UUID, node: str, counts: Counter[str], sums: dict[str, int]) -> Iterator[dict[str, Any]]:
    columns = (
        "id", "item_index", "status", "outcome", "business_key", "generation", "item", "started_at", "finished_at",
        "version_id",
    )  # fmt: skip
    after = -1
    while rows := list(
        _own(run_id, node).filter(item_index__gt=after).order_by("item_index").values(*columns)[:_PORTION]
    ):
        ids = [row["id"] for row in rows]
        made = _files_of(ids)
        again = dict(
            StepRun.objects.filter(run_id__in=ids, attempt__gt=1)
            .values_list("run_id")
            .annotate(more=Sum(F("attempt") - 1))
        )
        results = _results(rows, node)
        said = left_out.said(row["id"] for row in rows if status_of(row) == _LEFT_OUT)
        worth = {
            row["item_index"]: row
            for row in ItemAmount.objects.filter(
                run_id=run_id, node_id=node, item_index__gt=after, item_index__lte=rows[-1]["item_index"]
            ).values()
        }
        for row in rows:
            status = status_of(row)
            counts[status] += 1
            entry: dict[str, Any] = {"seq": row["item_index"] + 1, "key": row["business_key"], "status": status}
            entry["attempts"] = row["generation"] + again.get(row["id"], 0)
            if row["id"] in said:
                entry["skipped"] = {**told(said[row["id"]]), "at": said[row["id"]].at}
            entry |= {"started": row["started_at"], "finished": row["finished_at"]}
            entry["input_sha256"] = None if row["item"] is None else _digest(row["item"])
            entry["result_sha256"] = results.get(row["id"])
            if (amount := worth.get(row["item_index"])) is not None:
                entry |= _worth(amount)
                if amount["amount"] is not None:
                    sums[amount["currency"]] = sums.get(amount["currency"], 0) + amount["amount"]
            entry["files"] = made.get(row["id"], [])
            yield entry
        after = rows[-1]["item_index"]


def status_of(row: Mapping[str, Any]) -> str:
    """How an entry stands, as a manifest says it."""
    if row["finished_at"] is None:
        return "open"
    return _LEFT_OUT if row["outcome"] == Outcome.SKIPPED else _STATUSES.get(row["status"], "failed")


def _worth(row: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"amount": None if row["amount"] is None else batches.decimal_of(row["amount"])}
    found["currency"] = row["currency"]
    if row["posted"] is not None:
        found["posted"] = batches.decimal_of(row["posted"])
    return found


def _files_of(run_ids: Sequence[UUID]) -> dict[UUID, list[dict[str, Any]]]:
    """What each of these runs has made, in an order that does not depend on when."""
    found: dict[UUID, list[dict[str, Any]]] = {}
    owners = below(run_ids)
    rows = File.objects.filter(run_id__in=owners, removed_at=None).exclude(mime=MIME)
    for run_id, name, size, sha256 in rows.order_by("name", "sha256").values_list("run_id", "name", "size", "sha256"):
        if run_id is not None:
            found.setdefault(owners[run_id], []).append({"name": name, "size": size, "sha256": sha256})
    return found


def below(run_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """These runs and all that they have begun: each with the one of these that it belongs to."""
    owners = {run_id: run_id for run_id in run_ids}
    level: list[UUID] = list(run_ids)
    for _ in range(MOST_DEEP):
        found = Run.objects.filter(parent_run_id__in=level).values_list("id", "parent_run_id")
        begun = {run_id: owners[parent] for run_id, parent in found if parent is not None}
        if not begun:
            break
        owners |= begun
        level = list(begun)
    return owners


def _results(rows: Iterable[Mapping[str, Any]], node: str) -> dict[UUID, str]:
    """Digests of what the last steps of these runs gave; of several, of their digests by key."""
    return {
        run_id: _digest(next(iter(texts.values())))
        if len(texts) == 1
        else _digest(dumps({key: _digest(text) for key, text in sorted(texts.items())}))
        for run_id, texts in outputs_of(rows, node).items()
    }


def outputs_of(rows: Iterable[Mapping[str, Any]], node: str) -> dict[UUID, dict[str, str]]:
    """What the last steps of these runs of entries gave, by key, as it is kept; of those that are done."""
    done = [row for row in rows if status_of(row) == "done"]
    found: dict[UUID, dict[str, str]] = {}
    for version_id in {row["version_id"] for row in done}:
        graph: Graph | None = parsed(version_id).graph.body(node)
        if graph is None:
            continue
        ends = [one for one in graph.order if not graph.after[one] and one not in graph.undoes]
        ids = [row["id"] for row in done if row["version_id"] == version_id]
        outputs = StepRun.objects.filter(run_id__in=ids, node_id__in=ends, status="succeeded", output__isnull=False)
        for run_id, key, text in outputs.order_by("generation").values_list("run_id", "node_key", "output"):
            found.setdefault(run_id, {})[key] = text or "null"
    return found


def _digest(text: str) -> str:
    """Of a JSON document as it is kept, wherever it is kept."""
    kept = reference_in(text)
    return hashlib.sha256(text.encode()).hexdigest() if kept is None else kept.sha256
