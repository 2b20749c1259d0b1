"""Retries, undo, cancels, people's decisions and lost answers in any order: the books are right, and people told so.

Random workflows, and random operations on a run of each, held against an oracle (`money.Oracle`) that reads the
practice company's books. `MILLRACE_FUZZ=2000` plays so many more than the fixed ones; `MILLRACE_FUZZ_SEED=7` plays that
one and makes it as small as it can.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random

import pytest

from tests.runtime.fixtures import World
from tests.runtime.machine import Machine
from tests.runtime.money import Violation
from tests.runtime.money_bolder import Bolder
from tests.runtime.money_flows import Part, drawn, smaller
from tests.runtime.money_people import OPERATIONS, WEIGHTS, Affair, Hangs

FIXED = (3991, 4119, 3138, 1342, 3454, 1610, 3865, 2184, 4871, 3639, 5695, 984)


@dataclass(frozen=True)
class Case:
    """What is played: a workflow, and operations on a run of it, each with a seed of its own."""

    row: tuple[Part, ...]
    operations: tuple[tuple[str, int], ...]
    #: At last it is brought to its end (true), or undone, one after the other.
    ways: tuple[bool, ...]

    @classmethod
    def of(cls, seed: int) -> Case:
        chance = Random(seed)
        row = drawn(chance)
        operations: list[tuple[str, int]] = []
        for number in range(chance.randint(3, 8) + 1):
            if number:
                operations.append((chance.choices(OPERATIONS, WEIGHTS)[0], chance.getrandbits(32)))
            if chance.random() < 0.5:
                operations.append(("misbehave", chance.getrandbits(32)))
        # What is met at the start comes before the start.
        forward = chance.random() < 0.6
        ways = chance.choice(((forward,), (forward, not forward), (False, True, False)))
        return cls(row, tuple(operations), ways)

    def smaller(self) -> Iterator[Case]:
        for at in range(len(self.ways)):
            yield replace(self, ways=self.ways[:at] + self.ways[at + 1 :])
        for at in range(len(self.operations)):
            yield replace(self, operations=self.operations[:at] + self.operations[at + 1 :])
        for row in smaller(self.row):
            if row:
                yield replace(self, row=row)


def play(machine: Machine, world: World, case: Case) -> Affair:
    affair = Bolder(machine, world, case.row)
    try:
        affair.prepare()
        waiting = [*case.operations]
        while waiting and waiting[0][0] == "misbehave":
            affair.misbehave(Random(waiting.pop(0)[1]))
        affair.begin()
        for what, seed in waiting:
            if what == "misbehave":
                affair.misbehave(Random(seed))
            else:
                affair.operate(what, Random(seed))
        for forward in case.ways:
            affair.put_right(forward)
    except Hangs as error:
        affair.trouble("G", str(error))
    finally:
        affair.leave()
    return affair


def told(seed: int, affair: Affair) -> str:
    return "\n".join((f"seed {seed}:", *affair.journal))


def least(machine: Machine, world: World, case: Case, rule: Violation, seconds: float) -> Affair:
    """The smallest that breaks the same rule, found by leaving things out one by one."""
    best, deadline = play(machine, world, case), time.monotonic() + seconds
    again = True
    while again and time.monotonic() < deadline:
        again = False
        for other in case.smaller():
            played = play(machine, world, other)
            if any(one.rule == rule.rule for one in played.found):
                case, best, again = other, played, True
                break
    return best


@pytest.mark.timeout(0)
def test_the_books_are_right_whatever_is_done_to_a_run(machine: Machine, world: World) -> None:
    wanted = os.environ.get("MILLRACE_FUZZ_SEED")
    more = int(os.environ.get("MILLRACE_FUZZ", "0"))
    seeds = [int(wanted)] if wanted else [*FIXED]
    if more and not wanted:
        base = int(os.environ.get("MILLRACE_FUZZ_BASE", 0)) or time.time_ns() % 1_000_000_000
        print(f"\nseeds from {base} on")
        seeds = [*range(base, base + more)]
    wrong: list[str] = []
    for number, seed in enumerate(seeds):
        if more and not number % 20:
            print(f"{number} played", flush=True)
        affair = play(machine, world, Case.of(seed))
        if affair.found:
            if wanted and not more:
                affair = least(machine, world, Case.of(seed), affair.found[0], 120)
            wrong.append(told(seed, affair))
            if more:
                print(wrong[-1], flush=True)
            if any(one.rule == "G" for one in affair.found):
                break  # what hangs may keep all others from going on, too
    assert not wrong, "\n\n".join([f"{len(wrong)} of {len(seeds)} went wrong", *wrong])
