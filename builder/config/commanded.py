"""What commands do goes on record, too: in the installation's chain, by the name of the machine's user."""

from __future__ import annotations

import getpass
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from builder.audit import chain
from builder.audit.chain import INSTALLATION, Actor, Entry, Origin
from runtime import api as runtime_api


def entry(verb: str, **detail: Any) -> Entry:
    """A row for a command that somebody gave here."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "somebody"
    return Entry(
        chain=INSTALLATION,
        actor=Actor("command", "", user),
        origin=Origin(agent=f"manage.py on {platform.node()}"),
        verb=verb,
        object_kind="installation",
        detail=detail,
    )


@contextmanager
def kept(verb: str, *points: str, **detail: Any) -> Iterator[None]:
    """Around a change of the runtime that passes one of these commit points."""

    def write(ask: runtime_api.Ask, _facts: runtime_api.Facts) -> None:
        chain.append(ask, entry(verb, **detail))

    with runtime_api.keeping(points, write, lambda _changed: None):
        yield
