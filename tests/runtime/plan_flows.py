"""Workflows drawn at random for `test_plans_kept.py`: each call that one makes says where it comes from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final
from uuid import UUID

from tests.runtime.machine import Machine, fields, flow, step

#: What calls meet. Those of one call pass; a refusal stays until somebody gives the step another address.
LOST: Final = ("drop*1", "fail=500*1", "fail=503*1", "reset*1")
REFUSAL: Final = "fail=422"
CALLS: Final = ("read", "gate", "keyed", "unkeyed")
#: The header by which the company's list of calls says which step of which run has made one.
PLACE: Final = "X-Millrace-Place"


@dataclass(frozen=True)
class Block:
    """A part of a row. `kind`: read and gate (GET; a gate is shut until somebody opens it), keyed and unkeyed (POST),
    shape (computes), choice (of its two `rows` one is taken), beside (both are), each (its row is done for each of
    `entries`), call (its row is another workflow)."""

    kind: str
    key: str
    rows: tuple[tuple[Block, ...], ...] = ()
    fault: str = ""
    attempts: int = 1
    on_failure: str = "stop"
    #: What it sends is another thing each time that its settings are worked out.
    anew: bool = False
    undo: bool = False
    back_keyed: bool = True
    back_fault: str = ""
    takes_first: bool = True
    entries: int = 2
    never_stops: bool = False

    def __str__(self) -> str:
        plain = Block(self.kind, self.key)
        names = (
            "fault",
            "attempts",
            "on_failure",
            "anew",
            "undo",
            "back_keyed",
            "back_fault",
            "takes_first",
            "entries",
        )
        said = [f"{name}={getattr(self, name)}" for name in names if getattr(self, name) != getattr(plain, name)]
        rows = " | ".join(" -> ".join(map(str, row)) for row in self.rows)
        return f"{self.kind}:{self.key}({', '.join(said)})" + (f"[{rows}]" if self.rows else "")


def drawn(chance: Random) -> tuple[Block, ...]:
    """A row with one to six calls, some within others."""
    return _row(chance, chance.randint(1, 6), 0, iter(range(1, 200)), called=False)


def _row(chance: Random, calls: int, depth: int, numbers: Iterator[int], *, called: bool) -> tuple[Block, ...]:
    made: list[Block] = []
    while calls:
        kinds, weights = ("call", "choice", "beside", "each", "other"), (7, 1.2, 1.2, 1.8, 0 if called else 1.2)
        kind = chance.choices(kinds, weights)[0] if depth < 2 else "call"
        if kind == "call":
            made.append(_call(chance, numbers))
            calls -= 1
        else:
            some = chance.randint(1, calls)
            calls -= some
            made += _nested(chance, kind, some, depth, numbers, called=called)
        if chance.random() < 0.2:
            made.append(Block("shape", f"s{next(numbers)}"))
    return tuple(made)


def _nested(
    chance: Random, kind: str, calls: int, depth: int, numbers: Iterator[int], *, called: bool
) -> Iterator[Block]:
    number = next(numbers)
    fails = chance.choices(("stop", "undo", "continue"), (7, 2, 1))[0]
    if kind in ("each", "other"):
        row = _row(chance, calls, depth + 1, numbers, called=called or kind == "other")
        never = chance.random() < 0.4
        yield Block(
            "call" if kind == "other" else "each",
            f"{'o' if kind == 'other' else 'e'}{number}",
            (row,),
            on_failure=fails,
            entries=chance.randint(1, 3),
            never_stops=never,
        )
        return
    first = _row(chance, max(1, calls // 2), depth + 1, numbers, called=called)
    second = _row(chance, max(1, calls - calls // 2), depth + 1, numbers, called=called)
    yield Block(kind, f"{kind[0]}{number}", (first, second), takes_first=chance.random() < 0.5)
    yield Block("shape", f"j{number}")


def _call(chance: Random, numbers: Iterator[int]) -> Block:
    kind = chance.choices(CALLS, (1.5, 1, 4, 3))[0]
    key = f"a{next(numbers)}"
    on_failure = chance.choices(("stop", "undo", "continue"), (8, 2, 1))[0]
    if kind == "gate":
        return Block(kind, key)
    if kind == "read":
        return Block(kind, key, fault=chance.choice(("", "", "fail=404", "fail=503")), on_failure=on_failure)
    anew = kind == "keyed" and chance.random() < 0.3
    return Block(
        kind,
        key,
        fault=chance.choice(("", "", "", "", REFUSAL, REFUSAL, *LOST)),
        attempts=chance.choice((1, 1, 1, 2)),
        on_failure=on_failure,
        anew=anew,
        undo=chance.random() < 0.5,
        back_keyed=chance.random() < 0.7,
        back_fault=chance.choice(("",) * 6 + LOST[:2]),
    )


def all_of(row: tuple[Block, ...]) -> Iterator[Block]:
    for block in row:
        yield block
        for inside in block.rows:
            yield from all_of(inside)


def back(key: str) -> str:
    """The undo step of this one."""
    return f"back_{key}"


@dataclass
class Drawing:
    """A row as documents; `after` and `row_of` say of each step what follows it, by a look of this one's own."""

    row: tuple[Block, ...]
    mark: str
    url: str
    machine: Machine
    blocks: dict[str, Block] = field(default_factory=dict)
    #: Steps to which a way leads at once, by the step.
    after: dict[str, set[str]] = field(default_factory=dict)
    #: Steps on ways that are not taken.
    untaken: set[str] = field(default_factory=set)
    _links: list[str] = field(default_factory=list)
    _steps: list[dict[str, Any]] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        self.blocks = {block.key: block for block in all_of(self.row)}
        return self._document(self.row, "trigger.manual@1")

    def behind(self, *keys: str) -> set[str]:
        """Everything to which a way leads from there."""
        found: set[str] = set()
        todo = [*keys]
        while todo:
            for one in self.after.get(todo.pop(), ()):
                if one not in found:
                    found.add(one)
                    todo.append(one)
        return found

    def _document(self, row: tuple[Block, ...], start: str) -> dict[str, Any]:
        outer = self._links, self._steps
        self._links, self._steps = [], []
        self._wire(row, ["start"], None)
        document = flow(", ".join(self._links), *self._steps, start=start)
        self._links, self._steps = outer
        return document

    def _wire(self, row: tuple[Block, ...], tails: list[str], parent: str | None) -> list[str]:
        """Draw a row behind these ends; its own ends."""
        for block in row:
            self._add(self._made(block), parent)
            self._link(tails, block.key)
            if block.kind in ("keyed", "unkeyed") and block.undo:
                self._add(self._back(block), parent)
                self._links.append(f"{block.key}:undo -> {back(block.key)}")
            if block.kind == "each":
                self._wire(block.rows[0], [], block.key)
            if block.kind in ("choice", "beside"):
                ports = (":yes", ":no") if block.kind == "choice" else ("", "")
                tails = [
                    tail
                    for inside, port in zip(block.rows, ports, strict=True)
                    for tail in self._wire(inside, [f"{block.key}{port}"], parent)
                ]
                if block.kind == "choice":
                    self.untaken.update(one.key for one in all_of(block.rows[1 if block.takes_first else 0]))
            else:
                tails = [block.key]
        return tails

    def _link(self, tails: list[str], key: str) -> None:
        for tail in tails:
            self._links.append(f"{tail} -> {key}")
            self.after.setdefault(tail.partition(":")[0], set()).add(key)

    def _add(self, made: dict[str, Any], parent: str | None) -> None:
        self._steps.append({**made, "parent": parent} if parent else made)

    # --- steps ----------------------------------------------------------------------------------------------------

    def _made(self, block: Block) -> dict[str, Any]:
        settings: dict[str, Any] = {"on_failure": block.on_failure}
        match block.kind:
            case "read" | "gate" | "keyed" | "unkeyed":
                return self._request(block, settings)
            case "choice":
                rule = {"left": 1 if block.takes_first else 2, "op": "eq", "right": 1}
                return step(block.key, "flow.decision@1", {"conditions": {"match": "all", "rules": [rule]}})
            case "each":
                config: dict[str, Any] = {"items": list(range(1, block.entries + 1))}
                if block.never_stops:
                    config["stop"] = "never"
                return step(block.key, "flow.for_each@1", config, **settings)
            case "call":
                other: UUID = self.machine.publish(self._document(block.rows[0], "trigger.called@1"))
                return step(block.key, "flow.run_workflow@1", {"workflow": str(other)}, **settings)
            case _:
                return fields(block.key)

    def _request(self, block: Block, settings: dict[str, Any]) -> dict[str, Any]:
        soon = {"attempts": block.attempts, "strategy": "fixed", "first_seconds": 0.02, "jitter": 0}
        if block.kind in ("read", "gate"):
            path = "/customers/C-200" if block.kind == "read" else f"/orders/{self.mark}"
            config: dict[str, Any] = {"method": "GET", "url": self._address(path, block.fault)}
        else:
            body: dict[str, Any] = {"order": f"{self.mark}/{{{{ run.id }}}}/{block.key}"}
            body |= {"customer": "C-200", "amount": 10}
            if block.anew:
                body["memo"] = "{{ now() }}"
            config = {"method": "POST", "url": self._address("/invoices", block.fault), "body_type": "json"}
            config |= {"json_body": body, "send_key": block.kind == "keyed"}
        config["headers"] = self._place(block.key)
        return step(block.key, "http.request@1", config, **settings, retry=soon)

    def _back(self, block: Block) -> dict[str, Any]:
        path = f"/invoices/{{{{ steps.{block.key}.body.id }}}}/void"
        config: dict[str, Any] = {"method": "POST", "url": self._address(path, block.back_fault), "body_type": "json"}
        config |= {"json_body": {"reason": "x"}, "send_key": block.back_keyed, "headers": self._place(back(block.key))}
        return step(back(block.key), "http.request@1", config, retry={"attempts": 1})

    def _place(self, key: str) -> list[dict[str, str]]:
        return [{"name": PLACE, "value": f"{self.mark}/{{{{ run.id }}}}/{key}"}]

    def _address(self, path: str, fault: str) -> str:
        return f"{self.url}/with/{fault}{path}" if fault else f"{self.url}{path}"
