"""Has this database gone back in time? A restored backup does not know what was sent after it was made (I39).

A number in the database rises every few seconds, and once it is committed it is written into a file as well. A database
whose number is behind the file's has lost a commit that was seen: it is a backup. Then its epoch rises, every lease on
it is void, and nothing is begun until somebody has looked (`brake.Brake.held`). Where the file was restored together
with the database nobody can tell; that is what `manage.py restored --hold` is for.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import logging
import os
import secrets
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

from django.conf import settings
from django.db.models import BigIntegerField, Case, F, Value, When

from runtime.store.beside import unchanged
from runtime.store.brake import BRAKE
from runtime.store.commits import commit
from runtime.store.dialect import database_now
from runtime.store.models import Instance, Run

__all__ = ["beat", "beat_path", "epoch", "hold", "look", "release"]

logger = logging.getLogger("millrace.store")

#: A worker that outlived the restore may hold a lease token that the backup will give out again, some claims on.
_TOKENS_APART: Final = 1_000_000


P = ParamSpec("P")
T = TypeVar("T")
_lock = threading.RLock()


def _one_at_a_time(work: Callable[P, T]) -> Callable[P, T]:
    """What one thread of this process has just found must not be noted after what another one did since."""

    @functools.wraps(work)
    def alone(*args: P.args, **kwargs: P.kwargs) -> T:
        with _lock:
            return work(*args, **kwargs)

    return alone


def epoch() -> int | None:
    """Which history of this database goes on: it rises with every restored backup. None while it is held."""
    row = Instance.objects.filter(pk=1).values_list("epoch", "held_since").first()
    return 0 if row is None else None if row[1] is not None else row[0]


def beat_path() -> Path:
    """The file that is to survive the database."""
    return Path(settings.BEAT_FILE)


@_one_at_a_time
def look(*, beats: bool = False) -> None:
    """Compare the database with the file, and note for this process whether its runs are held; where it `beats`, go on
    counting. Raises what the database raises; of the file nothing."""
    if beats:
        beat()
        return
    # The file first: what it says was committed before.
    seen = _read()
    instance = Instance.objects.filter(pk=1).first()
    if instance is not None and instance.beat < seen.get(_name(instance), 0):
        hold("the database is behind what was seen of it")
        return
    BRAKE.held = instance is not None and instance.held_since is not None


@_one_at_a_time
def beat() -> None:
    """Count on in the database, and then in the file; or find that the database is behind."""
    with commit("instance.beat"):
        # Whoever counts has the row to himself: the file holds what was committed before.
        if not Instance.objects.filter(pk=1).update(beat=F("beat") + 1):
            return
        instance = Instance.objects.get(pk=1)
        behind = instance.beat - 1 < _seen(instance)
        if behind:
            _hold(instance)
    BRAKE.held = instance.held_since is not None
    if behind:
        _tell(instance, "the database is behind what was seen of it")
    _write(instance)


@_one_at_a_time
def hold(why: str) -> bool:
    """Let nothing of this database go on until `release`; False where that is so already. The epoch rises."""
    with commit("instance.hold"):
        instance = Instance.objects.select_for_update().get(pk=1)
        held = instance.held_since is not None and instance.beat >= _seen(instance)
        if held:
            unchanged()
        else:
            _hold(instance)
    BRAKE.held = True
    if not held:
        _tell(instance, why)
    _write(instance)
    return not held


@_one_at_a_time
def release() -> bool:
    """Let everything go on; False where nothing was held."""
    with commit("instance.release"):
        released = Instance.objects.filter(pk=1, held_since__isnull=False).update(held_since=None)
        if not released:
            unchanged()
    BRAKE.held = False
    if released:
        logger.warning("The restored backup was confirmed: runs go on.")
    return bool(released)


def _hold(instance: Instance) -> None:
    """In a transaction: the hold, and the end of every lease that the backup or its old workers know."""
    now = database_now()
    instance.epoch += 1
    instance.held_since = now
    # The next comparison finds it ahead again.
    instance.beat = max(instance.beat, _seen(instance)) + 1
    instance.save(update_fields=["epoch", "held_since", "beat"])
    Run.objects.filter(finished_at__isnull=True).update(
        lease_token=F("lease_token") + _TOKENS_APART,
        wake_at=Case(When(lease_owner__isnull=False, then=Value(now, BigIntegerField())), default=F("wake_at")),
        lease_owner=None,
        lease_expires_at=None,
    )


def _tell(instance: Instance, why: str) -> None:
    logger.error(
        "RESTORED: %s. Nothing is begun until somebody says so: manage.py restored shows what may have been sent "
        "since the backup, manage.py restored --confirm lets it go on (epoch %d).",
        why,
        instance.epoch,
    )


def _name(instance: Instance) -> str:
    """Says which database a file speaks of, and nothing else."""
    return hashlib.sha256(f"millrace.beat:{instance.key_secret}".encode()).hexdigest()[:32]


def _seen(instance: Instance) -> int:
    """The last number that the file has of this database; 0 where it speaks of another one, or of none."""
    return _read().get(_name(instance), 0)


def _read() -> dict[str, int]:
    """The file: the name of its database and the last number; empty where it cannot be read."""
    try:
        name, number = beat_path().read_text(encoding="ascii").split()
        return {name: int(number)}
    except (OSError, ValueError):
        return {}


def _write(instance: Instance) -> None:
    """Replace the file. A disk without room keeps the old one, which only says less."""
    path = beat_path()
    aside = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(f"{_name(instance)} {instance.beat}\n")
        os.replace(aside, path)
    except OSError as error:
        logger.warning("%s could not be written: %s", path, error)
        with contextlib.suppress(OSError):
            aside.unlink(missing_ok=True)
