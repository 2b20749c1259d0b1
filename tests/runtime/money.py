"""What stands in the books, and what people are told of it: the oracle of `test_money.py`.

It knows the practice company's own list of invoices, each with the run and the step that asked for it, and what the
operator has said: that something may be done a second time, and what became of calls without an answer, truly or not.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from runtime import api
from runtime.contracts import UndoLine, UndoPlan
from runtime.engine.undo import INCOMPLETE
from runtime.store.models import Run, StepRun
from tests.runtime.fixtures import World
from tests.runtime.machine import WORKSPACE
from tests.runtime.money_flows import Part, all_of, back

ENDED = ("completed", "dead_lettered", "cancelled", "compensated")
#: Where an action stands, from the outermost run on: `each1#0`, `call2#*`, `a3`.
Place = tuple[str, ...]


class Thing(NamedTuple):
    """An invoice, and who asked for it."""

    id: str
    run_id: UUID
    key: str
    stands: bool


class Live(NamedTuple):
    """A step of the generation that a run is in; `made`: what it says that it made."""

    status: str
    made: str | None


@dataclass
class Books:
    """All of one tree of runs at a quiet moment."""

    runs: dict[UUID, Run]
    places: dict[UUID, Place]
    things: list[Thing]
    live: dict[tuple[UUID, str], Live]
    #: What the run itself has ever been told that its step made.
    told: dict[tuple[UUID, str], set[str]]
    #: Steps that have ever had no answer that says what they did.
    unanswered: set[tuple[UUID, str]]
    #: What was sent along with what made this, and with what took it back.
    memos: dict[str, str]
    reasons: dict[str, str]

    def of(self, run_id: UUID, key: str) -> list[Thing]:
        return [one for one in self.things if (one.run_id, one.key) == (run_id, key)]

    def unknown(self, run_id: UUID, key: str) -> list[Thing]:
        """What stands and no answer has told of."""
        told = self.told.get((run_id, key), set())
        return [one for one in self.of(run_id, key) if one.stands and one.id not in told]

    def under(self, run_id: UUID, node: str | None = None) -> set[UUID]:
        """The runs that this one, or this step of it, has begun, however deep."""
        found = {
            one.id for one in self.runs.values() if one.parent_run_id == run_id and node in (None, one.parent_node)
        }
        return found.union(*(self.under(one) for one in found))

    def place(self, thing: Thing) -> Place:
        return (*self.places[thing.run_id], thing.key)


def read(world: World, mark: str, root: UUID, parts: dict[str, Part]) -> Books:
    """The books, and the rows of this run and all that it has begun."""
    runs = {root: Run.objects.get(pk=root)}
    places: dict[UUID, Place] = {root: ()}
    level = [root]
    while level:
        found = list(Run.objects.filter(parent_run_id__in=level).order_by("parent_node", "item_index"))
        for one in found:
            assert one.parent_run_id is not None
            node = str(one.parent_node)
            number = "*" if parts[node].kind == "call" else one.item_index
            runs[one.id], places[one.id] = one, (*places[one.parent_run_id], f"{node}#{number}")
        level = [one.id for one in found]
    live: dict[tuple[UUID, str], Live] = {}
    told: dict[tuple[UUID, str], set[str]] = defaultdict(set)
    unanswered: set[tuple[UUID, str]] = set()
    memos: dict[str, str] = {}
    reasons: dict[str, str] = {}
    for row in StepRun.objects.filter(run_id__in=[*runs]):
        made = _made(row.output) if row.status == "succeeded" else None
        if made is not None:
            told[row.run_id, row.node_id].add(made)
        elif row.status in ("failed", "cancelled") and not _is_refusal(row.error):
            unanswered.add((row.run_id, row.node_id))
        sent: Any = json.loads(row.input or "null")
        if row.status == "succeeded" and isinstance(sent, dict) and isinstance(sent.get("json_body"), dict):
            if made is not None and "memo" in sent["json_body"]:
                memos[made] = str(sent["json_body"]["memo"])
            if taken := re.search("/(INV-[0-9]+)/void", str(sent.get("url"))):
                reasons[taken[1]] = str(sent["json_body"].get("reason"))
        if row.generation == runs[row.run_id].generation:
            live[row.run_id, row.node_id] = Live(row.status, made)
    return Books(runs, places, list(things(world, mark)), live, told, unanswered, memos, reasons)


def things(world: World, mark: str) -> Iterator[Thing]:
    """The oldest first."""
    for one in reversed(world.ask("GET", "/invoices")["items"]):
        whose, _, rest = str(one["order_number"]).partition("/")
        if whose == mark:
            run_id, _, key = rest.partition("/")
            yield Thing(one["id"], UUID(run_id), key, one["status"] != "void")


def _made(output: str | None) -> str | None:
    given: Any = None if output is None else json.loads(output)
    body = given.get("body") if isinstance(given, dict) else None
    return body.get("id") if isinstance(body, dict) else None


def _is_refusal(error: str | None) -> bool:
    return error is not None and json.loads(error).get("http_status") == 422


class Violation(NamedTuple):
    """`rule`: a letter of `Oracle`."""

    rule: str
    text: str


@dataclass
class Oracle:
    """What was said, and what must hold at each quiet moment.

    A: what a completed run says that it made stands. B: of what is said to be undone as a whole nothing stands. C:
    whatever stands is named. D: nothing is made twice unless somebody said that it may. E: what is named as undone, and
    as done, is so. I: an undo step reads what its action read.
    """

    parts: dict[str, Part]
    #: Where somebody said that all may be done once more; a place, or one around it.
    consents: list[Place] = field(default_factory=list)
    #: Where somebody said of a call without an answer what is not so.
    lies: Counter[Place] = field(default_factory=Counter)

    def look(self, books: Books, root: UUID) -> Iterator[Violation]:
        yield from self.twice(books)
        yield from self.by_what_was_read(books)
        if books.runs[root].status not in ENDED:
            return
        for run_id, run in books.runs.items():
            if run.status == "completed":
                yield from self.completed(books, run_id)
            if run.status == "compensated":
                yield from self.undone(books, run_id)
            yield from self.message(books, run)
        yield from self.named(books)

    def twice(self, books: Books) -> Iterator[Violation]:
        found = Counter(books.place(one) for one in books.things if one.stands)
        for place, count in found.items():
            may = 1 + self.lies[place] + sum(covers(consent, place) for consent in self.consents)
            if count > may:
                yield Violation("D", f"{shown(place)} stands {count} times, at most {may} were agreed to")

    def by_what_was_read(self, books: Books) -> Iterator[Violation]:
        for thing in books.things:
            made_by, undone_by = books.memos.get(thing.id), books.reasons.get(thing.id)
            if not self.parts[thing.key].reads or made_by is None or undone_by is None:
                continue
            if made_by != undone_by and not self.lied(books, thing.run_id, thing.key):
                what = f"{shown(books.place(thing))} {thing.id} was made with {made_by}, and undone with {undone_by}"
                yield Violation("I", what)

    def completed(self, books: Books, run_id: UUID) -> Iterator[Violation]:
        for (of, key), live in books.live.items():
            if of != run_id or live.made is None or self.lied(books, run_id, key):
                continue
            if key in self.parts and not any(one.id == live.made and one.stands for one in books.things):
                yield Violation("A", f"{self.name(books, run_id)} is completed with {key} = {live.made}, which is void")

    def undone(self, books: Books, run_id: UUID) -> Iterator[Violation]:
        for thing in self.that_count(books, {run_id, *books.under(run_id)}):
            if thing.stands:
                text = f"{self.name(books, run_id)} is compensated, and {shown(books.place(thing))} {thing.id} stands"
                yield Violation("B", text)

    def named(self, books: Books) -> Iterator[Violation]:
        plans: dict[UUID, dict[str, list[UndoLine]]] = {}
        for thing in books.things:
            if not thing.stands or self.lied(books, thing.run_id, thing.key):
                continue
            said = _lines(plans, thing.run_id).get(thing.key, [])
            live = books.live.get((thing.run_id, thing.key))
            earlier = any(line.why == "earlier_go" for line in said)
            now = any(line.fate != "undone" and line.why != "earlier_go" for line in said)
            # Once what the last call made is undone, the next undo takes back the one before.
            gone = books.live.get((thing.run_id, back(thing.key)))
            next_one = now and gone is not None and gone.status == "succeeded" and self.is_void(books, live)
            fates = ", ".join(f"{line.fate}/{line.why}" for line in said) or "nothing"
            what = f"{shown(books.place(thing))} {thing.id} stands, and the undo plan of its run says {fates}"
            if live is not None and live.made == thing.id:
                if not now:
                    yield Violation("C", what)
            elif self.parts[thing.key].back == "nothing":
                continue
            elif not earlier and not next_one and not (now and (live is None or live.made is None)):
                yield Violation("C", f"{what}; it was made by another call than the last")
            yield from self.named_around(books, thing, plans)

    @staticmethod
    def is_void(books: Books, live: Live | None) -> bool:
        return any(live is not None and one.id == live.made and not one.stands for one in books.things)

    def named_around(
        self, books: Books, thing: Thing, plans: dict[UUID, dict[str, list[UndoLine]]]
    ) -> Iterator[Violation]:
        """Whoever looks at a run around it learns of it too."""
        if self.parts[thing.key].back == "nothing":
            return
        run = books.runs[thing.run_id]
        while run.parent_run_id is not None:
            around_it = self.parts[str(run.parent_node)]
            if not any(part.back == "undo" and part.kind == "action" for part in all_of((around_it,))):
                # Nothing in it could be undone, and of a workflow without undo steps no more is said.
                return
            said = _lines(plans, run.parent_run_id).get(str(run.parent_node), [])
            fates = [_of_items(line) for line in said]
            if not any(fate not in ("undone", "nothing") for fate in fates):
                what = f"{shown(books.place(thing))} {thing.id} stands, and the undo plan of"
                around = self.name(books, run.parent_run_id)
                yield Violation("C", f"{what} {around} says of {run.parent_node}: {fates or 'nothing'}")
            run = books.runs[run.parent_run_id]

    def message(self, books: Books, run: Run) -> Iterator[Violation]:
        error: Any = None if run.error is None or run.status == "completed" else json.loads(run.error)
        if error is None or error["code"] != INCOMPLETE:
            return
        message = str(error["message"])
        done, unsure, gone = (
            re.findall("“([^”]*)”", found[1])
            if (found := re.search(f"{start}: ((?:“[^”]*”(?:, )?)+)", message))
            else []
            for start in ("Still done", "no answer came", "Undone")
        )
        where = f"{self.name(books, run.id)} says “{message}”"
        below = [books.runs[one].finished_at or 0 for one in books.under(run.id)]
        # It was said before something was done about the runs that it has begun.
        since = max(below, default=0) > (run.finished_at or 0)
        for key in done:
            of = [] if since and self.kind(key) != "action" else self.here(books, run.id, key)
            unsaid = self.any_lies(books, run.id, key) or self.unanswered(books, run.id, key)
            if of and not unsaid and not any(one.stands for one in of):
                yield Violation("E", f"{where}, and nothing of {key} stands")
        for key in gone:
            live = books.live.get((run.id, key))
            for one in self.here(books, run.id, key):
                about = (key not in done and key not in unsure) or (live is not None and live.made == one.id)
                if one.stands and about and self.counts(books, one):
                    yield Violation("E", f"{where}, and {key} {one.id} stands")
        if since:
            return
        for start, stands in (("Still done in it", True), ("Undone in it", False)):
            for found in re.findall(rf"{start}: ([^.]*)\.", message):
                for key in str(found).split(", "):
                    under = books.under(run.id)
                    inside = [one for one in books.things if one.key == key and one.run_id in under]
                    if key not in self.parts or self.parts[key].kind != "action" or self.lied_at(key):
                        continue
                    if stands and any(self.unanswered(books, one, key) for one in under):
                        continue
                    if inside and not any(one.stands is stands for one in inside):
                        yield Violation("E", f"{where}, and of {key} it is not so")

    # --- what counts ----------------------------------------------------------------------------------------------

    def here(self, books: Books, run_id: UUID, key: str) -> list[Thing]:
        """What this step made, or what the runs made that it has begun."""
        if self.parts[key].kind == "action":
            return books.of(run_id, key)
        under = books.under(run_id, key)
        return [one for one in books.things if one.run_id in under]

    def unanswered(self, books: Books, run_id: UUID, key: str) -> bool:
        """Whether a call there has had no answer: nobody knows more of it than that it may have been done."""
        if self.parts[key].kind == "action":
            return (run_id, key) in books.unanswered
        under = books.under(run_id, key)
        return any(of in under and self.kind(at) == "action" for of, at in books.unanswered)

    def kind(self, key: str) -> str:
        return self.parts[key].kind if key in self.parts else ""

    def that_count(self, books: Books, runs: Iterable[UUID]) -> list[Thing]:
        within = {*runs}
        return [one for one in books.things if one.run_id in within and self.counts(books, one)]

    def counts(self, books: Books, thing: Thing) -> bool:
        """Whether it is to be undone when its run is, as far as anybody can know."""
        return self.parts[thing.key].back != "nothing" and not self.lied(books, thing.run_id, thing.key)

    def lied(self, books: Books, run_id: UUID, key: str) -> bool:
        return self.lies[(*books.places[run_id], key)] > 0

    def any_lies(self, books: Books, run_id: UUID, key: str) -> bool:
        return any(covers((*books.places[run_id], key), place) for place in self.lies)

    def lied_at(self, key: str) -> bool:
        return any(place[-1] == key for place in self.lies)

    def name(self, books: Books, run_id: UUID) -> str:
        return f"run {shown(books.places[run_id])}" if books.places[run_id] else "the run"


def covers(said: Place, place: Place) -> bool:
    """Whether what was said of a step holds for this place: that step itself, or one within what it has begun."""
    last = len(said) - 1
    return place[:last] == said[:last] and len(place) > last and place[last].partition("#")[0] == said[last]


def shown(place: Place) -> str:
    return "/".join(place)


def _lines(plans: dict[UUID, dict[str, list[UndoLine]]], run_id: UUID) -> dict[str, list[UndoLine]]:
    if run_id not in plans:
        found: UndoPlan = api.undo_plan(workspace_id=WORKSPACE, run_id=run_id)
        plans[run_id] = defaultdict(list)
        for line in found.lines:
            plans[run_id][line.node].append(line)
    return plans[run_id]


def _of_items(line: UndoLine) -> str:
    """What is said of a step that has begun runs."""
    items = line.items
    if items is not None and line.fate in ("undo", "again", "undone") and not (items.total - items.undone):
        return "undone"
    return line.fate
