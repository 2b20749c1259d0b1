"""Where each chain ends, noted outside the database: whoever cuts rows off a chain and moves its end back does not
reach this, and is found.

The file is written by every process that serves, about once a minute. An end that is behind the noted one is not
noted: that is the very thing to be found. After a restored backup it is right, and `accept` says so.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any, Final

from django.conf import settings

from builder.audit.chain import stamp
from builder.audit.models import AuditHead, AuditRow

FILE: Final = "audit-heads.json"


def note_heads(*, now: int) -> int:
    """Note the ends that have moved on; returns how many."""
    known = _read()
    moved = 0
    for chain, sequence, digest in AuditHead.objects.values_list("chain", "sequence", "digest"):
        noted = known.get(chain)
        if noted is None or (sequence > noted["sequence"] and _holds(chain, noted)):
            known[chain] = {"sequence": sequence, "digest": digest, "noted_at": stamp(now)}
            moved += 1
    if moved:
        _write(known)
    return moved


def noted(chain: str) -> list[tuple[int, str]]:
    """The end of this chain as it was noted last."""
    found = _read().get(chain)
    return [] if found is None else [(int(found["sequence"]), str(found["digest"]))]


def accept(*, now: int) -> None:
    """Take the ends as they stand for the right ones: a backup was restored, and somebody has said so."""
    _path().unlink(missing_ok=True)
    note_heads(now=now)


def _holds(chain: str, noted: dict[str, Any]) -> bool:
    """Whether the chain still goes through the noted row. One that does not is left as it was noted, to be found."""
    return AuditRow.objects.filter(chain=chain, sequence=noted["sequence"], digest=noted["digest"]).exists()


def _path() -> Path:
    return Path(settings.DATA_DIR) / FILE


def _read() -> dict[str, Any]:
    try:
        found = json.loads(_path().read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _write(known: dict[str, Any]) -> None:
    handle, name = tempfile.mkstemp(dir=settings.DATA_DIR, prefix=FILE)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(known, file, indent=1, sort_keys=True)
        file.flush()
        os.fsync(file.fileno())
    os.replace(name, _path())
