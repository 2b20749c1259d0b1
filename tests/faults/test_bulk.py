"""F37: a batch whose entries draw a document, keep a row and post: processes and servers die meanwhile, every entry is
done once, the numbers add up whenever somebody looks, and the manifest is the one of an undisturbed batch."""

from __future__ import annotations

import hashlib
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import pytest
import redis as redis_client

from tests.faults import figures
from tests.faults.conftest import MakePlant
from tests.faults.examples import Example, graph, invoice, node, webhook
from tests.faults.outside import Company
from tests.faults.plant import Plant
from tests.faults.processes import HarnessFailed, wait_until
from tests.faults.servers import BreakablePostgres, BreakableRedis
from tests.faults.test_other_doors import api_of, die_at
from tests.faults.test_people import bury
from tests.product import resident_mb

pytestmark = [pytest.mark.faults, pytest.mark.timeout(6 * 3600)]

SIDES = ("before", "after")
#: Passed by whoever advances the run that the batch belongs to, and for the second those of its entries.
POINTS = tuple(
    f"{name}:{side}"
    for name in ("bulk.page", "bulk.item", "bulk.manifest_write", "bulk.manifest_commit")
    for side in SIDES
)
AT_A_TIME = 32
MOST_MB = 512
_COLUMNS = [{"name": "Job"}, {"name": "Number", "type": "number"}, {"name": "Digest"}]
_DESIGN: dict[str, Any] = {
    "version": 1,
    "title": "Shipment",
    "blocks": [{"kind": "title", "text": "Shipment {{ data.id }} žluťoučký"}, {"kind": "text", "text": "{{ data }}"}],
}
_RETRY = {"attempts": 4, "strategy": "fixed", "first_seconds": 0.2, "jitter": 0, "total_seconds": 3_600}
#: What may differ between two batches of the same entries.
_OF_ITS_TIME = {"batch", "accepted", "started", "finished", "attempts", "result_sha256", "sha256", "signature"}
#: Nobody serves, or the database is away.
_AWAY = {502, 503}


def batch_of(table: str, count: int, on_a_page: int) -> Example:
    """So many shipments, read a page at a time, of which each begins with the last of the page before; one in a hundred
    is posted at its second try. The table has no key: a row that is saved again is there twice."""
    config = {
        "source": "pages",
        "url": f"http://practice-company/shipments?of={count}&limit={on_a_page}&shift=1",
        "list_path": "shipments",
        "next_by": "cursor",
        "next_path": "paging.cursor",
        "most_items": 2 * count,
        "item_key": "{{ item.id }}",
        "label": "{{ item.id }}",
        "amount": "{{ item.number / 4 }}",
        "posted": "{{ item.number / 4 }}",
        "currency": "EUR",
        "at_a_time": AT_A_TIME,
        "stop": "never",
        "collect": False,
        "manifest": True,
    }
    drawn = {"design": _DESIGN, "data": "{{ item }}", "name": "{{ item.id }}"}
    values = [
        {"name": "Job", "value": "{{ trigger.body.id }}"},
        {"name": "Number", "value": "{{ item.number }}"},
        {"name": "Digest", "value": "{{ steps.draw.file.sha256 }}"},
    ]
    behaviour = '{{ when(item.number % 100 == 50, "fail=503*1", "slow=0") }}'
    post = invoice("post", behaviour=behaviour, retry=_RETRY)
    post["config"]["json_body"]["order"] = "item:{{ trigger.body.id }}.{{ item.number }}/post"
    inside = [
        node("draw", "documents.create@1", drawn),
        node("keep", "tables.save@1", {"table": table, "values": values}),
        post,
    ]
    nodes = [webhook(), node("each", "flow.for_each@1", config), *({**one, "parent": "each"} for one in inside)]
    return Example("Batch", graph(nodes, ["start -> each", "draw -> keep", "keep -> post"]), {})


@dataclass(slots=True)
class Job:
    """One batch over these entries, and the proof of what became of it."""

    plant: Plant
    key: str
    table: str
    count: int
    on_a_page: int
    run: str = ""
    after: int = 0

    def begin(self) -> None:
        """Post the event. Raises HarnessFailed."""
        self.after = self.plant.company.last()
        answer = self.plant.senders.insist(self.plant.published["Batch"].path, self.key)
        if answer.status != 202:
            raise HarnessFailed(f"The batch does not begin: {answer}")
        self.run = (self.plant.status(self.key) or ("", ""))[0]

    @property
    def path(self) -> str:
        return f"W/runs/{self.run}/batches/each"

    @property
    def stored(self) -> str:
        """The run's id as its database keeps it."""
        return self.run.replace("-", "") if self.plant.embedded else self.run

    def ended(self) -> int:
        """How many entries have ended."""
        sql = "SELECT count(*) FROM store_run WHERE parent_run_id = ? AND finished_at IS NOT NULL"
        return int(self.plant.database.query(sql, (self.stored,))[0][0])

    def wait(self, seconds: float) -> None:
        wait_until(lambda: self.plant.ended(self.key), f"{self.key} ends", seconds=seconds, pause=0.1)

    def done(self) -> dict[str, Counter[int]]:
        """How often each entry was done: by runs, by rows of the table, by what took effect outside."""
        sql = "SELECT item_index + 1, business_key, status FROM store_run WHERE parent_run_id = ?"
        runs = self.plant.database.query(sql, (self.stored,))
        assert Counter(status for _, _, status in runs) == {"completed": self.count}
        assert [label for _, label, _ in sorted(runs)] == [f"S-{number}" for number in range(1, self.count + 1)]
        orders = [call.order for call in self.plant.company.calls(after=self.after, prefix=f"item:{self.key}.") if
                  call.applied]  # fmt: skip
        return {
            "runs": Counter(int(index) for index, _, _ in runs),
            "rows": Counter(self._rows()),
            "effects": Counter(int(order.rpartition(".")[2].partition("/")[0]) for order in orders),
        }

    def refused(self) -> int:
        """How often the other side has refused one, which was tried again."""
        calls = self.plant.company.calls(after=self.after, prefix=f"item:{self.key}.")
        return sum(call.status == 503 for call in calls)

    def _rows(self) -> Iterator[int]:
        mine = json.dumps([{"column": "Job", "operator": "eq", "value": self.key}])
        cursor = ""
        while True:
            query = httpx2.QueryParams({"filter": mine, "limit": "200", **({"cursor": cursor} if cursor else {})})
            page = api_of(self.plant).call("GET", f"W/tables/{self.table}/rows?{query}")
            yield from (int(row["values"]["Number"]) for row in page["items"])
            cursor = page["next_cursor"]
            if not cursor:
                return

    def manifest(self) -> list[dict[str, Any]]:
        """The lines of the one that was kept last, which is sound in itself, without what differs from time to time."""
        api = api_of(self.plant)
        kept = api.call("GET", self.path)["manifest"]
        assert kept is not None, "no manifest was kept"
        answer = api.client.get(f"/api/v1/workspaces/{api.workspace}/files/{kept['id']}/content")
        assert answer.status_code == 200, answer.text
        assert hashlib.sha256(answer.content).hexdigest() == kept["sha256"]
        *body, end = answer.content.splitlines(keepends=True)
        assert json.loads(end)["sha256"] == hashlib.sha256(b"".join(body)).hexdigest()
        lines = [json.loads(line) for line in (*body, end)]
        return [{name: value for name, value in line.items() if name not in _OF_ITS_TIME} for line in lines]

    def manifests(self) -> int:
        """How many were kept."""
        sql = "SELECT count(*) FROM store_file WHERE run_id = ? AND name = ?"
        return int(self.plant.database.query(sql, (self.stored, "each-manifest.jsonl"))[0][0])

    def is_proven(self) -> None:
        """It ended well, as everything says that can be asked about it."""
        once = Counter(range(1, self.count + 1))
        assert self.done() == {"runs": once, "rows": once, "effects": once}
        pages = -(-self.count // self.on_a_page)
        stand = api_of(self.plant).call("GET", self.path)
        assert (stand["status"], stand["total"], stand["started"], stand["done"]) == (
            "succeeded", self.count, self.count, self.count,
        )  # fmt: skip
        assert (stand["skipped"], stand["files"], stand["sealed"], stand["causes"]) == (
            pages - 1, self.count, True, [],
        )  # fmt: skip
        (total,) = stand["totals"]
        all_of_it = {"count": self.count, "amount": amount_of(self.count)}
        nothing = {"count": 0, "amount": "0.00"}
        assert [total[name] for name in ("currency", "received", "done", "failed", "open", "posted", "without")] == [
            "EUR", all_of_it, all_of_it, nothing, nothing, all_of_it, 0,
        ]  # fmt: skip
        check = api_of(self.plant).call("POST", f"{self.path}/checks")
        assert (check["well"], check["signed"], check["checked"]) == (True, True, self.count), check
        assert self.plant.check(self.key) == []


def amount_of(count: int) -> str:
    return f"{Decimal(count * (count + 1)) / 8:.2f}"


@dataclass(slots=True)
class Poller:
    """Somebody who looks at the batch all the while, also while nobody answers, and adds up what is shown."""

    job: Job
    seen: int = 0
    unanswered: int = 0
    most_mb: float = 0.0
    wrong: list[str] = field(default_factory=list)
    _last: Mapping[str, Any] = field(default_factory=dict)
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Poller:
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        assert self._thread is not None
        self._thread.join(60)

    def _look(self) -> None:
        plant = self.job.plant
        url = f"/api/v1/workspaces/{api_of(plant).workspace}/runs/{self.job.run}/batches/each"
        with httpx2.Client(base_url=f"http://127.0.0.1:{plant.port}", trust_env=False, timeout=30) as client:
            client.cookies = api_of(plant).client.cookies
            looks = 0
            while not self._over.wait(0.05):
                looks += 1
                if looks % 10 == 1:
                    self.most_mb = max([self.most_mb, *(resident_mb(child.pid) for child in list(plant.children))])
                try:
                    answer = client.get(url)
                except httpx2.TransportError:
                    self.unanswered += 1
                    continue
                if answer.status_code in _AWAY:
                    self.unanswered += 1
                elif answer.status_code != 200:
                    self.wrong.append(f"{answer.status_code} {answer.text[:300]}")
                else:
                    self._add_up(answer.json())

    def _add_up(self, stand: dict[str, Any]) -> None:
        self.seen += 1
        under_way = sum(stand[name] for name in ("done", "failed", "solved", "running", "waiting"))
        complaints = []
        if under_way != stand["started"]:
            complaints.append("started are more or fewer than those that are done, failed, solved, running or waiting")
        if stand["total"] is not None and under_way + stand["left"] != stand["total"]:
            complaints.append("the total is not all of them")
        if stand["failed"] or stand["solved"]:
            complaints.append("one has failed")
        complaints += [
            f"{name} went back from {self._last[name]}"
            for name in ("done", "started", "skipped", "total", "files")
            if self._last and self._last[name] is not None and (stand[name] or 0) < self._last[name]
        ]
        for total in stand["totals"]:
            for what in ("count", "amount"):
                parts = sum(Decimal(total[name][what]) for name in ("done", "failed", "open"))
                if parts != Decimal(total["received"][what]):
                    complaints.append(f"the {what} of the control totals does not add up")
        self._last = stand
        if complaints:
            shown = {name: stand[name] for name in stand if name not in ("points", "manifest", "input")}
            self.wrong.append(f"{', '.join(complaints)}: {shown}")


@dataclass(slots=True)
class Nemesis:
    """Kills processes and breaks servers at random moments of one batch."""

    job: Job
    chance: random.Random
    servers: tuple[BreakablePostgres, BreakableRedis] | None
    killed: Counter[str] = field(default_factory=Counter)
    flushed: int = 0
    crashed: int = 0

    def rage(self, kills: int, breaks: int) -> None:
        """So many kills, and where there are servers so many times each of them, before the batch ends."""
        acts = [self.kill] * kills + ([] if self.servers is None else [self.flush, self.crash] * breaks)
        self.chance.shuffle(acts)
        # By how far it has come, so that all of it happens while there is still something to do.
        moments = sorted(self.chance.choices(range(int(self.job.count * 0.95)), k=len(acts)))
        for act, moment in zip(acts, moments, strict=True):
            wait_until(lambda: self.job.ended() >= moment, f"{moment} ended", seconds=600, pause=0.05)  # noqa: B023
            time.sleep(self.chance.uniform(0, 0.3))
            # More deaths without progress, and a run would be set aside as one that kills its worker (F30).
            wait_until(lambda: not self.job.plant.stuck(), "runs come to something", seconds=120, pause=0.1)
            act()

    def kill(self) -> None:
        """Mostly a worker, at times the web process; another comes within half a second."""
        plant = self.job.plant
        kind = "serve" if plant.embedded else self.chance.choice(("worker", "worker", "worker", "web"))
        victim = self.chance.choice([child for child in plant.children if child.kind == kind])
        plant.kill(victim)
        time.sleep(self.chance.uniform(0, 0.5))
        plant.revive(victim)
        self.killed[kind] += 1

    def flush(self) -> None:
        assert self.servers is not None
        with redis_client.Redis.from_url(self.servers[1].url) as client:
            client.flushall()
        self.flushed += 1

    def crash(self) -> None:
        assert self.servers is not None
        self.servers[0].crash()
        time.sleep(self.chance.uniform(0, 0.5))
        self.servers[0].start()
        self.crashed += 1


@contextmanager
def breakable(
    database: str, make_plant: MakePlant, company: Company, directory: Path
) -> Iterator[tuple[Plant, tuple[BreakablePostgres, BreakableRedis] | None]]:
    """An installation, and the servers that it alone stands on."""
    if database == "sqlite":
        yield make_plant(database), None
        return
    postgres, redis = BreakablePostgres(), BreakableRedis()
    try:
        with Plant(directory, company, database_url=postgres.url, redis_url=redis.url, workers=2) as plant:
            yield plant, (postgres, redis)
    finally:
        redis.close()
        postgres.close()


def set_up(plant: Plant, count: int, on_a_page: int) -> str:
    """The workflow, and the table that it keeps its rows in."""
    plant.start()
    table = str(api_of(plant).call("POST", "W/tables", {"name": "Shipments", "columns": _COLUMNS})["id"])
    plant.publish(batch_of(table, count, on_a_page))
    return table


def test_a_batch_is_done_once_and_proven_alike_while_processes_and_servers_die(
    database: str, make_plant: MakePlant, company: Company, tmp_path: Path
) -> None:
    began = time.monotonic()
    seed = figures.seed()
    chance = random.Random(seed)
    count, kills = figures.number("BULK_ITEMS", 150, 12_000), figures.number("BULK_KILLS", 4, 50)
    jobs, on_a_page = figures.number("BULK_JOBS", 1, 20), min(500, max(1, count // 4))
    totals: Counter[str] = Counter()
    killed: Counter[str] = Counter()
    wrong: list[str] = []
    differing: list[str] = []
    most_mb, took = 0.0, []
    with breakable(database, make_plant, company, tmp_path / "bulk") as (plant, servers):
        table = set_up(plant, count, on_a_page)
        calm = Job(plant, f"u{seed:x}-calm", table, count, on_a_page)
        calm.begin()
        with Poller(calm) as poller:
            calm.wait(60 + count)
        wrong += poller.wrong
        calm.is_proven()
        undisturbed, calm_mb = calm.manifest(), poller.most_mb
        for number in range(jobs):
            at = time.monotonic()
            job = Job(plant, f"u{seed:x}-{number:03d}", table, count, on_a_page)
            job.begin()
            nemesis = Nemesis(job, chance, servers)
            with Poller(job) as poller:
                nemesis.rage(kills, max(1, kills // 10))
                job.wait(120 + count)
            took.append(time.monotonic() - at)
            wrong += poller.wrong
            killed += nemesis.killed
            totals += Counter(flushed=nemesis.flushed, crashed=nemesis.crashed, seen=poller.seen)
            totals += Counter(unanswered=poller.unanswered, refused=job.refused())
            assert poller.seen, "nobody was answered"
            most_mb = max(most_mb, poller.most_mb)
            for found in job.done().values():
                totals["lost"] += count - len(found)
                totals["duplicated"] += found.total() - len(found)
            if job.manifest() != undisturbed or job.manifests() != 1:
                differing.append(job.key)
            if totals["lost"] + totals["duplicated"] == 0:
                job.is_proven()
        complaints = plant.complaints()
    figures.tell(
        "a batch killed at random",
        database,
        seed=f"{seed:x}",
        jobs=jobs,
        items=count,
        kills=dict(killed),
        broker_wiped=totals["flushed"],
        database_crashed=totals["crashed"],
        effects=jobs * count,
        refused_and_tried_again=totals["refused"],
        lost=totals["lost"],
        duplicated=totals["duplicated"],
        manifests_that_differ=len(differing),
        looked_at=totals["seen"],
        unanswered=totals["unanswered"],
        looks_that_do_not_add_up=len(wrong),
        memory_mb=most_mb,
        memory_mb_undisturbed=calm_mb,
        seconds_a_job=figures.quantile(took, 0.5),
        seconds=round(time.monotonic() - began),
    )
    told = f"[seed {seed:x}]"
    assert (totals["lost"], totals["duplicated"]) == (0, 0), told
    assert (wrong[:5], differing) == ([], []), told
    assert killed.total() == jobs * kills
    assert totals["refused"] >= jobs * (count // 100)
    assert max(most_mb, calm_mb) < MOST_MB, told
    assert complaints == []


def test_a_kill_around_a_page_an_item_or_the_manifest_leaves_one_batch_and_one_proof(
    some_database: str, make_plant: MakePlant
) -> None:
    began = time.monotonic()
    seed = figures.seed()
    chance = random.Random(seed)
    count, on_a_page = 12, 5
    plant = make_plant(some_database)
    table = set_up(plant, count, on_a_page)
    calm = Job(plant, f"v{seed:x}-calm", table, count, on_a_page)
    calm.begin()
    calm.wait(60)
    calm.is_proven()
    undisturbed = calm.manifest()
    missed = []
    for number, point in enumerate(POINTS):
        job = Job(plant, f"v{seed:x}-{number}", table, count, on_a_page)
        worker = plant.of("serve" if plant.embedded else "worker")
        worker.arm(f"{point}=kill@nth({chance.randint(1, 3) if point.startswith(('bulk.page', 'bulk.item')) else 1})")
        job.begin()
        missed += [] if bury(plant, worker) else [point]
        job.wait(60)
        job.is_proven()
        assert (job.manifest(), job.manifests()) == (undisturbed, 1), point
    # The door keeps one too, when somebody asks for it.
    for point in (point for point in POINTS if point.startswith("bulk.manifest")):
        had = calm.manifests()
        door = plant.of(plant.kinds[0])
        die_at(plant, door, point, "POST", f"{calm.path}/manifest", None)
        assert calm.manifests() == had + (point == "bulk.manifest_commit:after"), point
        assert calm.manifest() == undisturbed, point
    calm.is_proven()
    figures.tell(
        "a batch killed around its pages and its manifest",
        some_database,
        seed=f"{seed:x}",
        points=len(POINTS) + 2 * len(SIDES),
        died=len(POINTS) + 2 * len(SIDES) - len(missed),
        violations=0,
        seconds=round(time.monotonic() - began),
    )
    assert missed == []
    assert plant.complaints() == []
