"""One kill at one failpoint, and what the checker says when it is quiet again.

The points are not listed anywhere here: a run is watched with every point of `runtime/store/failpoints.py` armed to do
nothing but write down that it was passed. What was passed is killed, before and after, in the process that passed it.
"""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import Future
from dataclasses import dataclass, field

from runtime.store.failpoints import COMMIT_POINTS, EFFECT_POINTS
from tests.faults.check import Violation
from tests.faults.examples import Example
from tests.faults.plant import Plant
from tests.faults.processes import Child, HarnessFailed, wait_until
from tests.faults.senders import Answer

#: Every point, armed to be written down and passed.
WATCH = ";".join(
    f"{name}:{side}=sleep(0)" for name in sorted(COMMIT_POINTS | EFFECT_POINTS) for side in ("before", "after")
)
#: A process passes these by the clock, whatever runs do.
BY_THE_CLOCK = frozenset({"process.sign", "leadership.take", "instance.beat", "figures.roll", "figures.stand"})
#: Of a point that a run passes again and again.
MOST_PASSINGS = 8


@dataclass(frozen=True, slots=True, order=True)
class Shot:
    """Where to kill: the n-th passing of a point by a process of this kind; `boot`: while it starts."""

    example: str
    kind: str
    point: str
    nth: int
    boot: bool = False

    def __str__(self) -> str:
        when = " at its start" if self.boot else ""
        return f"{self.example}: {self.kind} at {self.point}=kill@nth({self.nth}){when}"


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of a shot. `reached`: the process died there, and nowhere else."""

    shot: Shot
    reached: bool
    violations: list[Violation]
    seconds: float
    key: str


@dataclass(frozen=True, slots=True)
class Pair:
    """Where the first process is killed, and where the one that comes in its place."""

    example: str
    first: str
    second: str


@dataclass(frozen=True, slots=True)
class PairTrial:
    """What came of two kills in one run; the second point may not have been on the way."""

    pair: Pair
    deaths: int
    violations: list[Violation]
    key: str


@dataclass(slots=True)
class Range:
    """All trials over one installation."""

    plant: Plant
    seed: int
    trials: list[Trial] = field(default_factory=list)
    pairs: list[PairTrial] = field(default_factory=list)
    count: int = 0

    def key(self) -> str:
        """A fresh event key."""
        self.count += 1
        return f"{self.seed:x}-{self.count:05d}-"

    # --- what there is to shoot at --------------------------------------------------------------------------------

    def watch(self, example: Example) -> Counter[tuple[str, str]]:
        """Run the example once undisturbed: how often each kind of process passed each point."""
        plant, key = self.plant, self.key()
        before = {child.pid: len(child.hits()) for child in plant.children}
        for child in plant.children:
            child.arm(WATCH)
        answer = plant.senders.insist(plant.published[example.name].path, key, ballast=example.ballast)
        if not 200 <= answer.status < 300:
            raise HarnessFailed(f"{example.name} does not run: {answer}")
        wait_until(lambda: plant.ended(key), f"{example.name} ends")
        time.sleep(0.1)
        plant.disarm()
        found = plant.check(key)
        if found:
            raise HarnessFailed(f"{example.name} breaks rules undisturbed: {found}")
        passed: Counter[tuple[str, str]] = Counter()
        for child in plant.children:
            passed.update((child.kind, point) for point, _, _ in child.hits()[before.get(child.pid, 0) :])
        return passed

    def watch_start(self, example: Example, kind: str) -> Counter[tuple[str, str]]:
        """The same while a process starts that finds an unfinished run: up to the moment that the run ends."""
        plant, key = self.plant, self.key()
        self._leave_half_done(example, key)
        child = plant.spawn(kind, WATCH)
        if not plant.ready(child):
            raise HarnessFailed(f"{kind} does not start:\n{child.tail()}")
        wait_until(lambda: plant.ended(key), f"{example.name} ends")
        child.arm("")
        return Counter((kind, point) for point, _, _ in child.hits())

    def shots(self, example: Example, *, starts: bool) -> list[Shot]:
        """Every passing of every point, to kill at; passings by the clock once."""
        worker = "serve" if self.plant.embedded else "worker"
        found = [
            Shot(example.name, kind, point, nth)
            for (kind, point), count in self.watch(example).items()
            for nth in range(1, (1 if point.split(":")[0] in BY_THE_CLOCK else min(count, MOST_PASSINGS)) + 1)
        ]
        if starts:
            found += [Shot(example.name, worker, point, 1, True) for _, point in self.watch_start(example, worker)]
        return sorted(found)

    def _leave_half_done(self, example: Example, key: str) -> None:
        """Kill the process that advances runs behind the first effect of this event's run."""
        plant = self.plant
        child = plant.of("serve" if plant.embedded else "worker")
        child.arm("step.effect:after=kill@nth(1)")
        sending = plant.senders.start(plant.published[example.name].path, key, ballast=example.ballast)
        if not child.is_dead(20):
            raise HarnessFailed(f"{child.kind} was to die at step.effect:after")
        plant.buried(child)
        if plant.embedded:
            sending.result(20)
        plant.database.let_leases_run_out(f"{child.kind}-{child.pid}-%")

    # --- shooting -------------------------------------------------------------------------------------------------

    def shoot(self, shot: Shot) -> Trial:
        """Kill at the point, start again, wait until the run has ended, check."""
        began = time.monotonic()
        plant, key = self.plant, self.key()
        example = next(one for one in plant.examples.values() if one.name == shot.example)
        path = plant.published[shot.example].path
        mark = plant.company.last()
        failpoint = f"{shot.point}=kill@nth({shot.nth})"
        sending: Future[Answer] | None = None
        if shot.boot:
            self._leave_half_done(example, key)
            child = plant.spawn(shot.kind, failpoint)
        else:
            child = plant.of(shot.kind)
            child.arm(failpoint)
            sending = plant.senders.start(path, key, ballast=example.ballast)
        died = False
        patience = 20 if shot.point.split(":")[0] in BY_THE_CLOCK else 12
        deadline = time.monotonic() + patience
        while not died and time.monotonic() < deadline:
            died = child.is_dead(0.05)
            if not died and shot.point.split(":")[0] not in BY_THE_CLOCK and plant.ended(key):
                # The run got by without passing the point that often; what follows it may still come.
                died = child.is_dead(0.3)
                break
        if not died:
            died = not child.disarm()
        crash = None
        outage = time.monotonic()
        if died:
            plant.buried(child)
            # Nobody advances runs just now: the rows and the ledger stand still.
            crash = plant.crash(key, mark) if child.kind in ("serve", "worker") else None
            plant.revive(child)
        outage_ms = int((time.monotonic() - outage) * 1000) if died else 0
        # A sender that was not answered tries again with the same id.
        if sending is None or plant.embedded or shot.kind == "web":
            if sending is not None:
                sending.result(60)
            if key not in plant.senders.acked:
                plant.senders.insist(path, key, ballast=example.ballast)
        wait_until(lambda: plant.ended(key), f"{shot}: the run of {key} ends", seconds=60)
        if sending is not None:
            sending.result(60)
        elsewhere = [hit for hit in child.hits() if hit[1] == "kill" and hit[0] != shot.point] if not shot.boot else []
        trial = Trial(
            shot,
            died and not elsewhere,
            plant.check(key, after=mark, crash=crash, outage_ms=outage_ms),
            time.monotonic() - began,
            key,
        )
        self.trials.append(trial)
        return trial

    def shoot_pair(self, pair: Pair) -> PairTrial:
        """Kill whoever advances the run at the first point, and its successor at the second."""
        plant, key = self.plant, self.key()
        path = plant.published[pair.example].path
        mark = plant.company.last()
        kind = "serve" if plant.embedded else "worker"
        child = plant.of(kind)
        child.arm(f"{pair.first}=kill@nth(1)")
        sending = plant.senders.start(path, key)
        deaths, outage = 0, time.monotonic()
        for number in range(2):
            # The end of the run may come before what was to kill it.
            if not self._dies(child, key) and child.disarm():
                break
            deaths += 1
            plant.buried(child)
            plant.database.let_leases_run_out(f"{child.kind}-{child.pid}-%")
            child = plant.spawn(kind, f"{pair.second}=kill@nth(1)" if number == 0 else "")
            if not plant.ready(child) and number:
                raise HarnessFailed(f"{kind} does not start:\n{child.tail()}")
        outage_ms = int((time.monotonic() - outage) * 1000)
        sending.result(60)
        if key not in plant.senders.acked:
            plant.senders.insist(path, key)
        wait_until(lambda: plant.ended(key), f"{pair}: the run of {key} ends", seconds=60)
        found = plant.check(key, after=mark, outage_ms=outage_ms)
        trial = PairTrial(pair, deaths, found, key)
        self.pairs.append(trial)
        return trial

    def _dies(self, child: Child, key: str, seconds: float = 12) -> bool:
        """Whether it dies before the run has ended."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if child.is_dead(0.05):
                return True
            if self.plant.ended(key):
                # What follows the end may still come.
                return child.is_dead(0.3)
        return False

    # --- telling --------------------------------------------------------------------------------------------------

    def violations(self) -> list[str]:
        """Every broken rule with what it takes to see it again."""
        return [
            f"{violation}  [seed {self.seed:x}, {trial.shot}, event {trial.key}]"
            for trial in self.trials
            for violation in trial.violations
        ] + [
            f"{violation}  [seed {self.seed:x}, {trial.pair}, event {trial.key}]"
            for trial in self.pairs
            for violation in trial.violations
        ]

    def not_reached(self) -> list[str]:
        """Shots after which the process was still alive."""
        return [str(trial.shot) for trial in self.trials if not trial.reached]

    def covered(self) -> set[str]:
        """Points at which a process died."""
        return {trial.shot.point for trial in self.trials if trial.reached}
