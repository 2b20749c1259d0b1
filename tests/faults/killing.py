"""Kill processes again and again while a test does something else."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.faults.plant import Plant


class Killer:
    """A thread that kills one of these kinds, waits up to `down` seconds and starts another, until it is told to stop
    or has killed so often."""

    def __init__(
        self, plant: Plant, kinds: tuple[str, ...], most: int, chance: random.Random, *, every: float, down: float
    ) -> None:
        self.killed = 0
        self.dead_seconds = 0.0
        self._plant = plant
        self._kinds = ("serve",) if plant.embedded else kinds
        self._most = most
        self._chance = chance
        self._every = every
        self._down = down
        self._stop = threading.Event()
        self._fault: Exception | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Kill no more; raises what went wrong."""
        self._stop.set()
        self._thread.join(120)
        if self._fault is not None:
            raise self._fault

    def _run(self) -> None:
        try:
            while self.killed < self._most and not self._stop.wait(self._chance.uniform(0.3, 1) * self._every):
                if self._plant.stuck():
                    continue
                kind = self._chance.choice(self._kinds)
                victims = [child for child in self._plant.children if child.kind == kind]
                victim = self._chance.choice(victims)
                self._plant.kill(victim)
                at = time.monotonic()
                time.sleep(self._chance.uniform(0, self._down))
                self._plant.revive(victim, run_out=False)
                self.dead_seconds += time.monotonic() - at
                self.killed += 1
        except Exception as fault:
            self._fault = fault


@contextmanager
def killing(
    plant: Plant,
    most: int,
    chance: random.Random,
    *,
    kinds: tuple[str, ...] = ("worker",),
    every: float = 2.0,
    down: float = 1.0,
) -> Iterator[Killer]:
    """Kill while the block runs, at most so often."""
    killer = Killer(plant, kinds, most, chance, every=every, down=down)
    killer.start()
    try:
        yield killer
    finally:
        killer.stop()
