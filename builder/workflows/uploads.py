"""Files that workflows are started with: how their columns were understood, and which file was there before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from builder.accounts.models import User
from builder.workflows.models import FileLayout, FileStart, Workflow
from runtime import api as runtime_api
from runtime.contracts import JSON, NotFound, dumps, loads
from runtime.contracts.uploads import TableLook

#: So many earlier starts with the same file are named.
MOST_NAMED: Final = 5
MOST_COLUMNS: Final = 100


@dataclass(frozen=True, slots=True)
class Remembered:
    """A file, looked at with what was said of its layout before; `said`: when and by whom, None where nobody did."""

    look: TableLook
    said: FileLayout | None


def look(
    *,
    workflow: Workflow,
    question: str,
    file_id: UUID,
    columns: list[dict[str, Any]],
    format: Mapping[str, Any],
    sources: Mapping[str, str] | None,
) -> Remembered:
    """What a file looks like. `format` and `sources`: what is said of it now, which is worth more than what was said
    before. Raises what `runtime_api.look_at_upload` does."""

    def seen(form: Mapping[str, Any], chosen: Mapping[str, str] | None) -> TableLook:
        return runtime_api.look_at_upload(
            workspace_id=workflow.workspace_id, file_id=file_id, columns=columns, format=form, sources=chosen
        )

    first = seen(format, sources)
    said = (
        FileLayout.objects.select_related("said_by")
        .filter(workflow=workflow, question=question, layout_sha256=first.layout)
        .first()
    )
    if said is None:
        return Remembered(first, None)
    if sources is None:
        expected = {str(one.get("name")) for one in columns}
        chosen = {name: header for name, header in _sources(said).items() if name in expected}
        # A column that was not expected then is looked for now.
        new = {name: header for name, header in first.sources.items() if header not in chosen.values()}
        sources = {**{name: header for name, header in new.items() if name not in _sources(said)}, **chosen}
        first = seen(format, sources)
    asked: set[str] = {ask.kind for ask in first.asks}
    answers: dict[str, str] = {"decimal": said.decimal, "dates": said.dates}
    known = {name: answer for name, answer in answers.items() if name in asked}
    return Remembered(seen({**format, **known}, sources) if known else first, said)


def remember(*, workflow: Workflow, input: JSON, run_id: UUID | None, by: User, now: datetime) -> None:
    """Keep what a start's input says of its files; with `run_id` also that they ran."""
    for question, value in _tables(input):
        sources, form, layout = _named(value.get("columns")), value.get("format"), value.get("layout")
        if sources and isinstance(form, Mapping) and _is_digest(layout):
            FileLayout.objects.update_or_create(
                workflow=workflow,
                question=question,
                layout_sha256=layout,
                defaults={
                    "sources": dumps(sources),
                    "decimal": "," if form.get("decimal") == "," else ".",
                    "dates": "mdy" if form.get("dates") == "mdy" else "dmy",
                    "said_at": now,
                    "said_by": by,
                },
            )
        if run_id is not None:
            _ran(workflow=workflow, file=value["file"], run_id=run_id, by=by, now=now)


def earlier(*, workflow: Workflow, sha256: str) -> list[FileStart]:
    """The latest starts of the workflow with a file of these bytes."""
    rows = FileStart.objects.select_related("started_by").filter(workflow=workflow, sha256=sha256)
    return list(rows.order_by("-pk")[:MOST_NAMED])


def _ran(*, workflow: Workflow, file: Mapping[str, Any], run_id: UUID, by: User, now: datetime) -> None:
    try:
        view = runtime_api.file(workspace_id=workflow.workspace_id, file_id=UUID(str(file.get("id"))))
    except (ValueError, NotFound):
        return
    FileStart.objects.get_or_create(
        run_id=run_id,
        sha256=view.sha256,
        defaults={"workflow": workflow, "name": view.name[:255], "started_at": now, "started_by": by},
    )


def _tables(input: JSON) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, value in input.items() if isinstance(input, dict) else ():
        if isinstance(value, dict) and isinstance(value.get("file"), dict) and len(name) <= 60:
            yield name, value


def _sources(said: FileLayout) -> dict[str, str]:
    return _named(loads(said.sources))


def _named(given: object) -> dict[str, str]:
    """Texts by names, of whatever came; empty where it is something else."""
    pairs = list(given.items()) if isinstance(given, Mapping) else []
    fits = len(pairs) <= MOST_COLUMNS and all(isinstance(name, str) and isinstance(one, str) for name, one in pairs)
    return dict(pairs) if fits else {}


def _is_digest(value: object) -> bool:
    return isinstance(value, str) and len(value) == 64 and all(one in "0123456789abcdef" for one in value)
