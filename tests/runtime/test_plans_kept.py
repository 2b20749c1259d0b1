"""What a plan says is what the practice company then sees: its calls, their order and keys, no more and no less.

Workflows drawn at random, run against the practice company, gone on with by their plans until they are done, and
undone. `MILLRACE_PLANS=500` plays so many (`make plans`), `MILLRACE_PLANS_SEED=7` from that seed on; it is printed.
"""

from __future__ import annotations

import os
import time
from collections import Counter

import pytest

from tests.runtime.fixtures import World
from tests.runtime.machine import Machine
from tests.runtime.plan_player import Player

SAMPLE = 40


@pytest.mark.timeout(0)
def test_what_is_planned_is_what_the_company_is_asked(machine: Machine, world: World) -> None:
    count = int(os.environ.get("MILLRACE_PLANS", SAMPLE))
    given = os.environ.get("MILLRACE_PLANS_SEED", "")
    seed = int(given) if given else 20_000 if count == SAMPLE else time.time_ns() % 1_000_000_000
    print(f"\n{count} runs, MILLRACE_PLANS_SEED={seed}")
    wrong: list[str] = []
    counts: Counter[str] = Counter()
    last = 0
    for number in range(seed, seed + count):
        player = Player(machine, world, number, last=last)
        try:
            player.play()
        except Exception as error:
            player.wrong.append(f"{type(error).__name__}: {error}")
            player.note(f"    !!! {player.wrong[-1]}")
        counts += player.counts
        last = player.last
        if count > SAMPLE and not (number - seed + 1) % 50:
            print(f"{number - seed + 1} played", flush=True)
        if player.wrong:
            wrong.append("\n".join((f"MILLRACE_PLANS=1 MILLRACE_PLANS_SEED={number}:", *player.journal)))
            print(wrong[-1], flush=True)
    print(dict(counts))
    assert not wrong, "\n\n".join([f"{len(wrong)} of {count} went wrong", *wrong])
    fates = ("kept", "again", "repeats", "asks", "next", "undo plans", "undone")
    assert count < SAMPLE or all(counts[fate] for fate in fates), counts
