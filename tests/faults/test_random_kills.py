"""F2: SIGKILL at random moments with 50 runs in flight, on both databases; F31: the same with no broker at all."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from concurrent.futures import Future
from dataclasses import dataclass, field

import pytest

from tests.faults import figures
from tests.faults.conftest import MakePlant
from tests.faults.examples import branching, linear, saga, unrepeatable
from tests.faults.plant import Plant
from tests.faults.processes import Child, HarnessFailed
from tests.faults.rows import Glimpse
from tests.faults.senders import Answer

pytestmark = [pytest.mark.faults, pytest.mark.timeout(7200)]

IN_FLIGHT = 50
#: At least so many runs for each kill.
RUNS_A_KILL = 20
#: So many seconds after a death a server may still carry out what the dead process sent.
_ON_ITS_WAY = 10


@dataclass(slots=True)
class Traffic:
    """Keeps that many runs in flight that are not waiting for a dead process's lease to end."""

    plant: Plant
    prefix: str
    random: random.Random
    sent: int = 0
    dead: set[str] = field(default_factory=set)
    fewest: list[int] = field(default_factory=list)
    tries: list[Future[Answer]] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Send nothing new, and wait until every sender has its answer."""
        self._stop.set()
        assert self._thread is not None
        self._thread.join(30)
        for one in self.tries:
            one.result(180)

    def _run(self) -> None:
        paths = [published.path for published in self.plant.published.values()]
        while not self._stop.wait(0.05):
            if not self.plant.children:
                continue
            self.tries = [one for one in self.tries if not one.done()]
            unfinished = self.plant.unfinished(self.prefix, due=True)
            # Those of a dead process wait for their leases; the one process takes them back when it starts.
            live = [one for one in unfinished if self.plant.embedded or one[2] is None or not self._is_dead(one[2])]
            self.fewest.append(len(live))
            for _ in range(min(25, IN_FLIGHT - len(live) - len(self.tries))):
                self.sent += 1
                key = f"{self.prefix}{self.sent:05d}"
                self.tries.append(self.plant.senders.insist_in_thread(self.random.choice(paths), key))

    def _is_dead(self, owner: str) -> bool:
        return owner.rsplit("-", 1)[0] in self.dead


@dataclass(slots=True)
class Takeovers:
    """How long the runs of a killed process waited for another."""

    plant: Plant
    prefix: str
    seconds: list[float] = field(default_factory=list)
    #: How often the process that held a run died.
    deaths: Counter[str] = field(default_factory=Counter)
    #: How runs stood at each death.
    seen: list[Glimpse] = field(default_factory=list)
    _open: list[tuple[str, float, set[str]]] = field(default_factory=list)

    def died(self, owner: str, at: float) -> None:
        """Note what the dead process held."""
        unfinished = self.plant.unfinished(self.prefix, due=True)
        held = {one[0] for one in unfinished if (one[2] or "").startswith(f"{owner}-")}
        self.seen += self.plant.glimpses()
        self.deaths.update(held)
        self._open.append((owner, at, held))

    def starts(self) -> None:
        """Count from now: the one process is started again only now."""
        self._open = [(owner, time.monotonic(), held) for owner, _, held in self._open]

    def look(self) -> None:
        """Note what others have taken meanwhile."""
        if not self._open or not self.plant.children:
            return
        owners = {one[0]: one[2] or "" for one in self.plant.unfinished(self.prefix, due=True)}
        now = time.monotonic()
        left = []
        for owner, at, held in self._open:
            still = {key for key, holder in owners.items() if holder.startswith(f"{owner}-")}
            # Its last commit may have been on its way to the server when it died.
            self.deaths.update(still - held)
            self.seconds += [now - at] * len(held - still)
            if still or now - at < _ON_ITS_WAY:
                left.append((owner, at, still))
        self._open = left


def test_random_kills_lose_nothing_and_repeat_nothing(database: str, make_plant: MakePlant) -> None:
    plant = make_plant(database, workers=2)
    run_and_kill(plant, database, "random kills", figures.number("KILLS", 4, 1000))


@figures.only_in_full
def test_random_kills_without_a_broker(make_plant: MakePlant) -> None:
    plant = make_plant("postgres", workers=2, environment={"MILLRACE_BROKER": "off"})
    run_and_kill(plant, "postgres", "random kills, broker off", figures.number("KILLS", 4, 30))


def run_and_kill(plant: Plant, database: str, name: str, kills: int) -> None:
    """Kill, start again after 0 to 2 s, so often; then let it become quiet, and check."""
    began = time.monotonic()
    seed = figures.seed()
    chance = random.Random(seed)
    prefix = f"r{seed:x}-"
    plant.start(linear(respond="immediately", slow=60), branching(slow=60), saga(slow=60), unrepeatable(slow=60))
    traffic = Traffic(plant, prefix, random.Random(seed + 1))
    takeovers = Takeovers(plant, prefix)
    traffic.start()
    try:
        killed, dead_seconds = kill_at_random(plant, kills, chance, traffic, takeovers)
        while traffic.sent < RUNS_A_KILL * kills:
            watch(takeovers, 0.1)
    finally:
        traffic.stop()
    deadline = time.monotonic() + 120
    while plant.unfinished(prefix):
        watch(takeovers, 0.1)
        if time.monotonic() > deadline:
            raise HarnessFailed(f"seed {seed:x}: not quiet after 120 s: {plant.unfinished(prefix)[:5]}")
    takeovers.look()
    outage = int(dead_seconds * 1000) if plant.embedded else 5_000
    outages = {key: 0 if plant.embedded else 20_000 * deaths for key, deaths in takeovers.deaths.items()}
    violations = plant.check(prefix, outage_ms=outage, outages=outages, seen=takeovers.seen)
    rules: dict[str, int] = {}
    for violation in violations:
        rules[violation.rule] = rules.get(violation.rule, 0) + 1
    evidence = plant.evidence(prefix)
    figures.tell(
        name,
        database,
        seed=f"{seed:x}",
        kills=kills,
        killed=killed,
        runs=len(evidence.rows.runs),
        in_flight_p50=figures.quantile(traffic.fewest, 0.5),
        effects=sum(call.applied for call in evidence.calls),
        calls=len(evidence.calls),
        unanswered_and_sent_again=len(plant.senders.unknown),
        refused=len(plant.senders.refused),
        lost=rules.get("LOST", 0),
        left_in_doubt=sum(run.status == "dead_lettered" for run in evidence.rows.runs),
        duplicated=rules.get("DUPHON", 0) + rules.get("DUPRUN", 0) + rules.get("REPEAT", 0),
        violations=rules,
        taken_over=len(takeovers.seconds),
        takeover_p50=figures.quantile(takeovers.seconds, 0.5),
        takeover_p99=figures.quantile(takeovers.seconds, 0.99),
        bound_95_percent=f"< {300 / kills:.1f} % a kill",
        seconds=round(time.monotonic() - began),
    )
    assert [f"{violation} [seed {seed:x}]" for violation in violations] == []
    assert plant.complaints() == []
    assert figures.quantile(takeovers.seconds, 0.99) <= 20
    # The public API tells the same as the rows.
    for workflow in plant.examples:
        shown = plant.shown(workflow)
        rows = {run.id: run.status for run in evidence.rows.runs if run.workflow == workflow}
        assert {run_id: run["status"] for run_id, run in shown.items()} == rows


def kill_at_random(
    plant: Plant, kills: int, chance: random.Random, traffic: Traffic, takeovers: Takeovers
) -> tuple[dict[str, int], float]:
    """Kill, wait, start again; returns how many of each kind died, and for how long somebody was missing."""
    watch(takeovers, 2.0)
    dead_seconds = 0.0
    killed: dict[str, int] = {}
    for _ in range(kills):
        watch(takeovers, chance.uniform(0.25, 1.2))
        # On a slow machine a run may not come to anything between two deaths; after five such it would be set aside as
        # one that kills its worker. That is right, and F30's matter.
        patience = time.monotonic() + 120
        while plant.stuck() and time.monotonic() < patience:
            watch(takeovers, 0.1)
        victim = choose(plant, chance)
        plant.kill(victim)
        at = time.monotonic()
        traffic.dead.add(f"{owner_kind(victim)}-{victim.pid}")
        takeovers.died(f"{owner_kind(victim)}-{victim.pid}", at)
        killed[victim.kind] = killed.get(victim.kind, 0) + 1
        watch(takeovers, chance.uniform(0, 2))
        if plant.embedded:
            takeovers.starts()
        plant.revive(victim, run_out=False)
        dead_seconds += time.monotonic() - at
    return killed, dead_seconds


def watch(takeovers: Takeovers, seconds: float) -> None:
    """Let time pass, looking."""
    end = time.monotonic() + seconds
    while True:
        takeovers.look()
        left = end - time.monotonic()
        if left <= 0:
            return
        time.sleep(min(0.1, left))


def choose(plant: Plant, chance: random.Random) -> Child:
    """Mostly a worker, at times the web process."""
    if plant.embedded:
        return plant.of("serve")
    kind = "web" if chance.random() < 0.15 else "worker"
    return chance.choice([child for child in plant.children if child.kind == kind])


def owner_kind(child: Child) -> str:
    """How the leases of a process begin."""
    return "embedded" if child.kind == "serve" else child.kind
