"""Deeds whose effect comes later: what was kept of them when they were accepted is put on record when it does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, Literal

from builder.audit import chain
from builder.audit.chain import Actor, Entry, Origin
from runtime.api import Ask

_VERBS: Final = {"took_effect": "task.decision_took_effect", "refused": "task.decision_refused"}


def kept_of(entry: Entry) -> str:
    """What is to be kept of a deed, so that its effect can be put on record as its author's."""
    return json.dumps(
        {
            "chain": entry.chain,
            "actor": [entry.actor.kind, entry.actor.id, entry.actor.name],
            "from": [entry.origin.address, entry.origin.agent, entry.origin.request_id],
            "object": [entry.object_kind, entry.object_id, entry.object_name],
            "detail": chain.plain(dict(entry.detail)),
        }
    )


def decided(record: str, became: Literal["took_effect", "refused"], ask: Ask, facts: Mapping[str, Any]) -> None:
    """Append to the chain of the workspace, in the transaction by which it takes effect."""
    if not record:
        return
    kept = json.loads(record)
    entry = Entry(
        chain=kept["chain"],
        actor=Actor(*kept["actor"]),
        origin=Origin(*kept["from"]),
        verb=_VERBS[became],
        object_kind=kept["object"][0],
        object_id=kept["object"][1],
        object_name=kept["object"][2],
        detail={**kept["detail"], **facts},
    )
    chain.append(ask, entry)
