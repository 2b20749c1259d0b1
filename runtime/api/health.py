"""Is the machine in order? What an administrator is shown, each line with what was seen and how to mend it."""

from __future__ import annotations

import time
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.db.models import Exists, OuterRef, Q

from runtime import queue
from runtime.api.causes import unexplained
from runtime.contracts import HealthItem
from runtime.store.blobs import PLACE
from runtime.store.brake import BRAKE, free_bytes
from runtime.store.dialect import database_now, durability_problems
from runtime.store.holds import TAKES_TURNS
from runtime.store.models import Deployment, Hold, Instance, Process, Run
from runtime.store.statements import HELD

_ALIVE_MS: Final = 20_000
_CLOCKS_APART_SECONDS: Final = 5
#: A word in time: there is more room than the floor below which no run is begun, and not much more.
_WARN_BYTES: Final = 500 * 1024 * 1024
#: A claimed run is overdue when its lease ran out this long ago and nobody took it.
_OVERDUE_MS: Final = 30_000
#: A person, an event or an operator moves these; no time has to.
_MOVED_FROM_OUTSIDE: Final = ("parked", "waiting_event", "waiting_human")


def system_health() -> list[HealthItem]:
    """The checks, most fundamental first. Never raises."""
    try:
        found = [_database(), *_restored(), *_storage(), _clock(), _workers(), _orphans()]
    except (DatabaseError, InterfaceError) as error:
        found = [
            HealthItem(
                "database",
                False,
                "Database",
                f"It does not answer: {str(error).splitlines()[0][:200]}",
                "Start the database, and see that DATABASE_URL names it.",
            )
        ]
    return [*found, _disk(), *_broker()]


def orphans() -> list[UUID]:
    """Open runs that nothing will ever move again, or that do not say what they wait for (I17); there must be none."""
    now = database_now()
    unleased = Q(lease_expires_at__isnull=True)
    # Undoing that was set aside says so in its reason to wait, like every other run that was.
    aside = Q(status="compensating", waiting__contains='"kind":"parked"')
    # A person, or the workflow that holds it, lets it go on.
    gone = Deployment.objects.filter(pk=OuterRef("workflow_id"), retired=True)
    held = Exists(Hold.objects.filter(pk=OuterRef("workflow_id"))) & ~Exists(gone)
    # Or the ticker: a start of a schedule that was resumed waits for its turn also where no workflow is paused.
    held |= Q(~Exists(Hold.objects.filter(pk=OuterRef("workflow_id"))), TAKES_TURNS)
    stopped = Q(min_engine__gte=HELD) & (~Q(held=1) | held)
    lost = unleased & Q(wake_at__isnull=True) & ~stopped & ~Q(status__in=_MOVED_FROM_OUTSIDE) & ~aside
    lost |= unexplained()
    if BRAKE.is_on:
        # What is due waits for room, or to be confirmed; the system check says so in a line of its own.
        return list(Run.objects.filter(lost, finished_at__isnull=True).values_list("id", flat=True)[:100])
    late = ~stopped & Q(wake_at__lt=now - _OVERDUE_MS) & (unleased | Q(lease_expires_at__lt=now - _OVERDUE_MS))
    open_runs = Run.objects.filter(finished_at__isnull=True)
    return list(open_runs.filter(lost | late).values_list("id", flat=True)[:100])


def _database() -> HealthItem:
    problems = durability_problems()
    name = "PostgreSQL" if connection.vendor == "postgresql" else "SQLite"
    if problems:
        return HealthItem("database", False, "Database", " ".join(problems), "Change these settings of the database.")
    return HealthItem("database", True, "Database", f"{name} answers and keeps what it accepts.")


def _storage() -> list[HealthItem]:
    """Only where it is not a folder: of those the free space is told."""
    if PLACE.storage is None:
        return []
    problem = PLACE.storage.problem()
    if problem:
        advice = "Look at ARTIFACT_STORAGE_URL, and whether its key may read, write and remove."
        return [HealthItem("storage", False, "Storage of files", problem, advice)]
    return [
        HealthItem("storage", True, "Storage of files", "The object storage takes and gives back what it is given.")
    ]


def _clock() -> HealthItem:
    """Leases and timers go by the database's clock, signatures and sessions by this machine's."""
    asked = time.time()
    there = database_now() / 1000
    # The answer was given somewhere between question and arrival.
    apart = max(asked - there, there - time.time(), 0.0)
    if apart > _CLOCKS_APART_SECONDS:
        return HealthItem(
            "clock",
            False,
            "Clocks",
            f"The database's clock and this machine's are {apart:.0f} seconds apart.",
            "Let both set their clocks by the network (NTP).",
        )
    return HealthItem("clock", True, "Clocks", "The database and this machine agree on the time.")


def someone_works() -> bool:
    """Whether a process is alive that goes on with runs."""
    return bool(_at_work())


def _at_work() -> list[int]:
    """How many runs each living worker has in hand."""
    alive = Process.objects.filter(stopped_at__isnull=True, seen_at__gte=database_now() - _ALIVE_MS)
    return list(alive.filter(kind__in=("embedded", "worker")).values_list("running", flat=True))


def _workers() -> HealthItem:
    workers = _at_work()
    if not workers:
        return HealthItem(
            "workers",
            False,
            "Workers",
            "No worker is alive: events are accepted and wait.",
            "Start one: manage.py worker.",
        )
    return HealthItem(
        "workers",
        True,
        "Workers",
        f"1 worker is alive, {sum(workers)} runs in flight."
        if len(workers) == 1
        else f"{len(workers)} workers are alive, {sum(workers)} runs in flight.",
    )


def _orphans() -> HealthItem:
    found = orphans()
    if found:
        return HealthItem(
            "orphans",
            False,
            "Runs without a next step",
            f"{len(found)} runs are open and nobody is coming for them, the first is {found[0]}.",
            "See that workers and a ticker run; if they do, report this.",
        )
    return HealthItem("orphans", True, "Open runs", "Each open run has somebody or something that moves it.")


def _disk() -> HealthItem:
    free = free_bytes()
    size = f"{free / 2**30:.1f} GiB" if free >= 2**30 else f"{free // 2**20} MiB"
    floor = settings.FREE_SPACE_FLOOR_MIB * 2**20
    said = f"Only {size} are left in DATA_DIR."
    mend = "Make room; everything goes on by itself."
    if free < floor // 2:
        said += " Nothing is accepted, and no run is begun."
        return HealthItem("disk", False, "Free disk space", said, mend)
    if free < floor:
        said += " Events are accepted, and no run is begun."
        return HealthItem("disk", False, "Free disk space", said, mend)
    if free < _WARN_BYTES:
        return HealthItem("disk", False, "Free disk space", said, "Make room before it is full.")
    return HealthItem("disk", True, "Free disk space", f"{size} are free in DATA_DIR.")


def _restored() -> list[HealthItem]:
    """Only where there is something to say."""
    since = Instance.objects.filter(pk=1).values_list("held_since", flat=True).first()
    if since is None:
        return []
    held = Run.objects.filter(finished_at__isnull=True, accepted_at__lt=since).count()
    return [
        HealthItem(
            "restored",
            False,
            "Restored backup",
            f"The database is a restored backup. {held} of its runs were open; nothing is sent until you say so.",
            "manage.py restored shows what may have been sent since the backup, manage.py restored --confirm goes on.",
        )
    ]


def _broker() -> list[HealthItem]:
    if not getattr(settings, "REDIS_URL", ""):
        return []
    if queue.reachable():
        return [HealthItem("broker", True, "Redis", "It answers.")]
    return [
        HealthItem(
            "broker",
            False,
            "Redis",
            "It does not answer: runs start later, live views stand still, nothing is lost.",
            "Start Redis, and see that REDIS_URL names it.",
        )
    ]
