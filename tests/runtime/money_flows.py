"""Workflows that spend money, drawn at random for `test_money.py`: each call makes out an invoice of its own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any
from uuid import UUID

from tests.runtime.fixtures import World
from tests.runtime.machine import Machine, flow, get, post, step

FAILS = ("stop", "undo", "continue", "person")
#: What the first call of an action, or of an undo step, meets; a fault is not the rule.
FAULTS = ("",) * 7 + ("drop*1", "fail=500*1", "fail=422*1")
SOON = {"attempts": 2, "strategy": "fixed", "first_seconds": 0.02, "jitter": 0}
ONCE = {"attempts": 1}


@dataclass(frozen=True)
class Part:
    """One step of a row. `kind`: action, gate (a reading that fails until somebody has opened it), each (its `inside`
    is done for two entries), call (its `inside` is another workflow).

    Of an action `back` says whether it is undone: undo, nothing (to undo), none. `meets`, `back_meets`: what its first
    call and that of its undo step meet. `accepts`: the undo step takes "is void already" for done. `by_name`: it names
    what it undoes by what the action called it, which is known without an answer, too. `anew`: the action sends
    something else each time that its settings are worked out. `twice`, `back_twice`: a failure is tried again at once.
    """

    kind: str
    key: str
    on_failure: str = "stop"
    inside: tuple[Part, ...] = ()
    back: str = "undo"
    keyed: bool = True
    back_keyed: bool = True
    meets: str = ""
    back_meets: str = ""
    accepts: bool = False
    by_name: bool = False
    anew: bool = False
    twice: bool = False
    back_twice: bool = False
    #: The action before it of whose result it, and its undo step, send the number along.
    reads: str = ""
    #: Of an each: whether it goes on after a failure, and does both entries at a time.
    never_stops: bool = False
    together: bool = False

    def __str__(self) -> str:
        plain = Part(self.kind, self.key)
        said = [
            f"{name}={getattr(self, name)}"
            for name in self.__dataclass_fields__
            if name not in ("kind", "key", "inside") and getattr(self, name) != getattr(plain, name)
        ]
        within = f" [{' -> '.join(map(str, self.inside))}]" if self.inside else ""
        return f"{self.key}({', '.join(said)}){within}"


def drawn(chance: Random) -> tuple[Part, ...]:
    """A row of steps with one to four actions, some within others."""
    return _row(chance, chance.randint(1, 4), 0, iter(range(1, 100)), (), called=False)


def _row(
    chance: Random, actions: int, depth: int, numbers: Iterator[int], before: tuple[str, ...], *, called: bool
) -> tuple[Part, ...]:
    """`before`: actions whose results are known here."""
    made: list[Part] = []
    while actions:
        kind = chance.choices(("action", "each", "call"), (6, 3, 0 if called else 1.5))[0] if depth < 2 else "action"
        if kind == "action":
            action = _action(chance, f"a{next(numbers)}")
            if before and chance.random() < 0.4:
                # What it sends changes: to the company each is a first call.
                action = replace(action, reads=chance.choice(before), anew=False, meets="", back_meets="")
            if action.on_failure != "continue":
                before = (*before, action.key)
            made.append(action)
            actions -= 1
            continue
        some = chance.randint(1, actions)
        actions -= some
        key = f"{kind}{next(numbers)}"
        known = () if kind == "call" else before
        within = _row(chance, some, depth + 1, numbers, known, called=called or kind == "call")
        fails = chance.choices(FAILS, (6, 3, 1, 1))[0]
        never, together = chance.random() < 0.3, chance.random() < 0.2
        made.append(Part(kind, key, fails, within, never_stops=never, together=together))
    if chance.random() < (0.6 if depth == 0 else 0.25):
        fails = chance.choices(FAILS, (4, 4, 0.5, 1.5))[0]
        made.insert(chance.randint(1, len(made)), Part("gate", f"gate{next(numbers)}", fails))
    return tuple(made)


def _action(chance: Random, key: str) -> Part:
    keyed, back_keyed, anew = chance.random() < 0.6, chance.random() < 0.6, chance.random() < 0.2
    made = Part(
        "action",
        key,
        on_failure=chance.choices(FAILS, (4, 2.5, 1.5, 2))[0],
        back=chance.choices(("undo", "none", "nothing"), (7, 1.5, 1))[0],
        keyed=keyed,
        back_keyed=back_keyed,
        meets=_fault(chance, keyed, anew),
        back_meets=_fault(chance, back_keyed, False),
        accepts=chance.random() < 0.5,
        anew=anew,
        by_name=chance.random() < 0.25,
        twice=chance.random() < 0.15,
        back_twice=chance.random() < 0.15,
    )
    # A second call is answered "that name is taken", and its undo takes back the first: then that of the first has to
    # find that all is well. Whoever undoes by name has to say so in the step, for no engine can know it.
    return replace(made, accepts=True) if made.by_name else made


def _fault(chance: Random, keyed: bool, anew: bool) -> str:
    """One that passes: the company tells a first call from a second by its body; under another key all are first."""
    fault = chance.choice(FAULTS)
    return "" if keyed or anew else fault


def all_of(row: tuple[Part, ...]) -> Iterator[Part]:
    for part in row:
        yield part
        yield from all_of(part.inside)


def smaller(row: tuple[Part, ...]) -> Iterator[tuple[Part, ...]]:
    """The same with one thing less."""
    for at, part in enumerate(row):
        yield row[:at] + row[at + 1 :]
        if part.inside:
            yield row[:at] + part.inside + row[at + 1 :]
            for within in smaller(part.inside):
                if within:
                    yield (*row[:at], replace(part, inside=within), *row[at + 1 :])
        plain = Part(part.kind, part.key)
        for name in part.__dataclass_fields__:
            if name not in ("kind", "key", "inside") and getattr(part, name) != getattr(plain, name):
                yield (*row[:at], replace(part, **{name: getattr(plain, name)}), *row[at + 1 :])


@dataclass
class Sketch:
    """A row as documents; `mark` stands in the books with all that its actions make."""

    row: tuple[Part, ...]
    mark: str
    world: World
    machine: Machine
    parts: dict[str, Part] = field(default_factory=dict)
    #: By the step that calls it.
    workflows: dict[str, UUID] = field(default_factory=dict)
    #: What actions, and undo steps, send besides.
    memo: str = ""
    why: str = "x"

    def document(self) -> dict[str, Any]:
        self.parts = {part.key: part for part in all_of(self.row)}
        return self._document(self.row, "trigger.manual@1")

    def _document(self, row: tuple[Part, ...], start: str) -> dict[str, Any]:
        links, steps = self._steps(row, None)
        first = f"start -> {row[0].key}" if row else "start"
        return flow(", ".join([first, *links]), *steps, start=start)

    def _steps(self, row: tuple[Part, ...], parent: str | None) -> tuple[list[str], list[dict[str, Any]]]:
        links = [f"{one.key} -> {other.key}" for one, other in itertools.pairwise(row)]
        steps: list[dict[str, Any]] = []
        for part in row:
            made = getattr(self, f"_{part.kind}")(part)
            if part.kind == "each":
                more, within = self._steps(part.inside, part.key)
                links += more
                steps += within
            if part.back == "undo" and part.kind == "action":
                links.append(f"{part.key}:undo -> {back(part.key)}")
                made = [*made, self._back(part)]
            steps += [{**one, "parent": parent} if parent else one for one in made]
        return links, steps

    def _address(self, path: str, meets: str) -> str:
        return f"{self.world.url}/with/{meets}{path}" if meets else f"{self.world.url}{path}"

    def _action(self, part: Part) -> list[dict[str, Any]]:
        body = {"order": f"{self.mark}/{{{{ run.id }}}}/{part.key}", "customer": "C-200", "amount": 10}
        if part.by_name:
            body["reference"] = f"{{{{ run.id }}}}-{part.key}"
        if self.memo:
            body["note"] = self.memo
        if part.anew:
            body["memo"] = "{{ now() }}"
        if part.reads in self.parts:
            body["memo"] = f"{{{{ steps.{part.reads}.body.id }}}}"
        settings: dict[str, Any] = {"on_failure": part.on_failure, "retry": SOON if part.twice else ONCE}
        if part.back == "nothing":
            settings["undo"] = "nothing"
        made = post(part.key, self._address("/invoices", part.meets), body, **settings)
        made["config"]["send_key"] = part.keyed
        return [made]

    def _back(self, part: Part) -> dict[str, Any]:
        name = f"{{{{ run.id }}}}-{part.key}" if part.by_name else f"{{{{ steps.{part.key}.body.id }}}}"
        path = f"/invoices/{name}/void"
        address = self._address(path, part.back_meets)
        reason = f"{{{{ steps.{part.reads}.body.id }}}}" if part.reads in self.parts else self.why
        made = post(back(part.key), address, {"reason": reason}, retry=SOON if part.back_twice else ONCE)
        made["config"]["send_key"] = part.back_keyed
        if part.accepts:
            made["config"]["success_codes"] = "200-299,409"
        return made

    def _gate(self, part: Part) -> list[dict[str, Any]]:
        address = f"{self.world.url}/orders/{self.mark}"
        return [get(part.key, address, on_failure=part.on_failure, retry=ONCE)]

    def _each(self, part: Part) -> list[dict[str, Any]]:
        config: dict[str, Any] = {"items": [1, 2]}
        if part.never_stops:
            config["stop"] = "never"
        if part.together:
            config["at_a_time"] = 2
        return [step(part.key, "flow.for_each@1", config, on_failure=part.on_failure)]

    def _call(self, part: Part) -> list[dict[str, Any]]:
        document = self._document(part.inside, "trigger.called@1")
        other = self.workflows[part.key] = self.machine.publish(document, self.workflows.get(part.key))
        return [step(part.key, "flow.run_workflow@1", {"workflow": str(other)}, on_failure=part.on_failure)]


def back(key: str) -> str:
    """The undo step of this action."""
    return f"back_{key}"
