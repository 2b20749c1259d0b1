"""What people do to the runs of `test_money.py` besides: other versions, changed settings, two at once, and crashes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from threading import Barrier, Thread
from typing import Any, Final

from django.db import connection

from runtime import api
from runtime.contracts import RuntimeRefused
from tests.runtime.machine import WORKSPACE
from tests.runtime.money import ENDED
from tests.runtime.money_flows import Part, all_of
from tests.runtime.money_people import WORDS, Affair

#: A run is told to go on, or back, and this happens while it does.
DISTURBANCES: Final = ("crash", "pause", "pause and crash", "cancel", "cancel, undo", "nothing")


@dataclass
class Bolder(Affair):
    """The same operator, with more to do."""

    def operate(self, what: str, chance: Random) -> None:
        ended = self.books().runs[self.root].status in ENDED
        match what:
            case "publish":
                self.publish(chance)
                return
            case "retry edited" if ended:
                self.attempt("retry", lambda: self.retry(self.root, chance, **_ABOUT, edited=True))
            case "retry newest" if ended:
                start = [chance.choice(self.row).key] if chance.random() < 0.3 else []
                self.attempt("retry", lambda: self.retry(self.root, chance, start, **_ABOUT, newest=True))
            case "disturb" if ended:
                self.disturbed(chance)
            case "pause" if not ended:
                self.pause(chance)
            case "both" if ended:
                self.both(chance)
            case "retry edited" | "retry newest" | "disturb" | "pause" | "both":
                return
            case _:
                super().operate(what, chance)
                return
        self.settle()

    def publish(self, chance: Random) -> None:
        """Another version becomes live, of the workflow and of those that it calls."""
        sketch, how = self.sketch, chance.choice(("settings", "undo settings", "a step more", "undo steps"))
        if how == "settings":
            sketch.memo = f"memo {chance.randrange(99)}"
        elif how == "undo settings":
            sketch.why = f"reason {chance.randrange(99)}"
        elif how == "a step more":
            fresh = Part(
                "action", f"b{sum(1 for _ in all_of(sketch.row))}", back=chance.choice(("undo", "undo", "none"))
            )
            sketch.row = _with(sketch.row, fresh, chance)
        else:
            sketch.row = tuple(_undoable(part) for part in sketch.row)
        self.note(f"- another version is published: {how}: {' -> '.join(map(str, sketch.row))}")
        self.machine.publish(sketch.document(), self.workflow)
        for key, part in sketch.parts.items():
            # What was there before is known as it was then: it can be undone by fewer steps.
            self.parts.setdefault(key, part)

    def disturbed(self, chance: Random) -> None:
        forward = chance.random() < 0.5
        how, after = chance.choice(DISTURBANCES), chance.choice((0.0, 0.01, 0.03, 0.06))
        if forward:
            refused = self.attempt("retry", lambda: self.retry(self.root, chance, **_ABOUT))
        else:
            refused = self.attempt("undo", lambda: self.undo(self.root, chance, **WORDS))
        if refused is not None:
            return
        time.sleep(after)
        self.note(f"  after {after} s: {how}")
        if "pause" in how:
            self.attempt("pause", lambda: api.pause_run(workspace_id=WORKSPACE, run_id=self.root))
            time.sleep(chance.choice((0.0, 0.05)))
        if "crash" in how:
            self.machine.crash()
            self.machine.start()
        if "cancel" in how:
            self.attempt(how, lambda: self.cancel("undo" in how))
        if "pause" in how:
            self.attempt("resume", lambda: api.resume_run(workspace_id=WORKSPACE, run_id=self.root))

    def pause(self, chance: Random) -> None:
        self.attempt("pause", lambda: api.pause_run(workspace_id=WORKSPACE, run_id=self.root))
        if chance.random() < 0.5:
            self.decide(chance)
            time.sleep(0.05)
        if chance.random() < 0.3:
            self.machine.crash()
            self.machine.start()
        if chance.random() < 0.2:
            self.attempt("cancel, undo=True", lambda: self.cancel(True))
        self.attempt("resume", lambda: api.resume_run(workspace_id=WORKSPACE, run_id=self.root))

    def both(self, chance: Random) -> None:
        """Two people at once, with what they were shown at one and the same time."""
        do: list[Callable[[], Any]] = []
        words = ("retry", "retry") if chance.random() < 0.4 else ("retry", "undo")
        for what in words:
            self.note(f"- at once: {what}")
            try:
                if what == "retry":
                    do.append(self.retrying(self.root, chance, consents=1, lies=0))
                else:
                    do.append(self.undoing(self.root, chance, consents=1))
            except RuntimeRefused as refused:
                self.journal[-1] += f": refused ({refused.code})"
        done: list[str] = []
        at_once = Barrier(len(do)) if do else None

        def one(call: Callable[[], Any]) -> None:
            assert at_once is not None
            at_once.wait()
            try:
                call()
                done.append("done")
            except RuntimeRefused as refused:
                done.append(f"{type(refused).__name__} {refused.code}")
            except Exception as error:
                done.append(f"ERROR {error!r}")
            finally:
                connection.close()

        threads = [Thread(target=one, args=(call,)) for call in do]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.note(f"  {', '.join(done)}")
        if done.count("done") > 1 or any(said.startswith("ERROR") for said in done):
            self.trouble("H", f"two at once: {done}")


_ABOUT: Final[dict[str, Any]] = {"consents": 0.85, "lies": 0.1}


def _with(row: tuple[Part, ...], fresh: Part, chance: Random) -> tuple[Part, ...]:
    """The row with this step somewhere in it."""
    at = chance.randint(0, len(row))
    within = [index for index, part in enumerate(row) if part.inside]
    if within and chance.random() < 0.5:
        at = chance.choice(within)
        return (*row[:at], replace(row[at], inside=_with(row[at].inside, fresh, chance)), *row[at + 1 :])
    return (*row[:at], fresh, *row[at:])


def _undoable(part: Part) -> Part:
    back = "undo" if part.back == "none" and part.kind == "action" else part.back
    return replace(part, back=back, inside=tuple(_undoable(one) for one in part.inside))
