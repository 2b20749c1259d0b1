"""What steps gave, as later steps see it: the values that formulas read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from runtime.engine.graph import Node
from runtime.engine.jsonprofile import JSON
from runtime.engine.state import RunState, StepError, StepKey, StepStatus
from runtime.interpreter.payloads import Reference, document, reference_in
from runtime.interpreter.rows import error_document
from runtime.interpreter.versions import Version
from runtime.interpreter.waiting import iso
from runtime.store.children import Outer
from runtime.store.records import Claimed

if TYPE_CHECKING:
    from runtime.interpreter.loading import Loaded

Fetch = Callable[[Reference], Awaitable[JSON]]

#: In place of a key, which no step can have.
_ITEM: Final = ".item"
_TRIGGER: Final = ".trigger"
_EARLIER: Final = ".earlier."


#: What an undo step reads as `error` where nothing failed.
_ASKED_FOR: Final = StepError(
    code="undo_asked_for", title="Somebody asked for it", message="Nothing failed: somebody had the run undone.",
    kind="undo",
)  # fmt: skip


class Values:
    """The outputs of one run's steps by key. Large ones are fetched when the next step is made ready."""

    def __init__(self, version: Version, claimed: Claimed, loaded: Loaded, started_at: int) -> None:
        self._version = version
        self._claimed = claimed
        self._steps: dict[str, JSON] = {}
        self._references: dict[str, Reference] = {}
        #: What a run of another's knows from outside: its item, and its place in the list.
        self._given: dict[str, JSON] = {}
        self._trigger: JSON = None
        start = version.graph.by_id.get(claimed.trigger_node)
        self._trigger_key = None if start is None else start.key
        self._run: dict[str, JSON] = {
            "id": str(claimed.run_id),
            "started_at": iso(started_at),
            "now": "",
            "mode": claimed.mode,
            "version": version.number,
            "attempt": 1,
        }
        if loaded.outer is not None and version.graph.container is not None:
            self._take_outer(loaded.outer)
        for node_id, text in loaded.outputs.items():
            node = version.graph.by_id.get(node_id)
            if node is None:
                continue
            self.put_text(node, text)
        #: By action, of which a call of an earlier generation is to be undone: what the steps gave in that one, by key.
        self._earlier: dict[str, dict[str, JSON]] = {}
        self._places: dict[str, tuple[str, str]] = {}
        self._ahead = loaded.owed
        for action, texts in loaded.earlier.items():
            self._take_earlier(action, texts)

    def know_links(self, links: dict[str, JSON]) -> None:
        """The links of steps that wait for theirs, by key."""
        self._run["links"] = links

    @property
    def has_references(self) -> bool:
        return bool(self._references)

    async def fetch(self, fetch: Fetch) -> None:
        """Bring in the large outputs that stand elsewhere."""
        for key, reference in list(self._references.items()):
            self._came(key, await fetch(reference))

    def take_in(self, read: Callable[[Reference], JSON]) -> None:
        """The same, where it may be waited for."""
        for key, reference in list(self._references.items()):
            self._came(key, read(reference))

    def _came(self, key: str, value: JSON) -> None:
        self._references.pop(key, None)
        if key == _ITEM:
            self._given["item"] = value
        elif key == _TRIGGER:
            self._trigger = value
        elif key in self._places:
            action, name = self._places[key]
            self._earlier[action][name] = value
        else:
            self._steps[key] = value
            if key == self._trigger_key:
                self._trigger = value

    def _take_earlier(self, action: str, texts: dict[str, str]) -> None:
        of = self._earlier[action] = {}
        for node_id, text in texts.items():
            # Also of steps around it.
            key = self._version.keys.get(node_id)
            if key is None:
                continue
            reference = reference_in(text)
            if reference is None:
                of[key] = document(text)
            else:
                name = f"{_EARLIER}{action}.{key}"
                self._references[name], self._places[name] = reference, (action, key)

    def _take_outer(self, outer: Outer) -> None:
        """What the runs around it knew, the nearest last; of the outermost its start."""
        if outer.beyond is not None:
            self._take_outer(outer.beyond)
        keys = self._version.keys
        for node_id, text in (outer.texts or {}).items():
            if (key := keys.get(node_id)) is not None:
                self._keep(key, text)
            if node_id == outer.trigger_node:
                self._keep(_TRIGGER, text)
        self._keep(_ITEM, outer.item)
        self._given["index"] = outer.index

    def _keep(self, key: str, text: str) -> None:
        reference = reference_in(text)
        if reference is not None:
            self._references[key] = reference
        elif key == _ITEM:
            self._references.pop(key, None)
            self._given["item"] = document(text)
        elif key == _TRIGGER:
            self._trigger = document(text)
        else:
            self._steps[key] = document(text)

    def put_text(self, node: Node, text: str) -> None:
        """The same from a row's text, wherever the document stands."""
        reference = reference_in(text)
        if reference is None:
            self.put(node, document(text))
        else:
            self._references[node.key] = reference

    def put(self, node: Node, value: JSON) -> None:
        self._references.pop(node.key, None)
        self._steps[node.key] = value
        if node.id == self._claimed.trigger_node:
            self._trigger = value

    def of_node(self, node_id: str | None) -> JSON:
        """The output of this step; None where there is none."""
        return None if node_id is None else self._steps.get(self._version.graph.by_id[node_id].key)

    def is_away(self, key: str) -> bool:
        """Whether what this step gave is large and has not been brought in."""
        return key in self._references

    def input_of(self, node: Node, state: RunState) -> JSON:
        """What came in by the first link that was taken, in the order in which the links were drawn; for an undo step,
        what the step that it undoes gave."""
        graph = self._version.graph
        if graph.undoes and node.id in graph.undoes:
            action = graph.undoes[node.id]
            key = graph.by_id[action].key
            return self._steps_for(action, state).get(key)
        for edge in graph.incoming[node.id]:
            step = state.step(edge.source)
            if step is not None and edge.source_handle in step.ports:
                return self._steps.get(graph.by_id[edge.source].key)
        return None

    def context(
        self,
        state: RunState | None,
        attempt: int,
        now: int,
        node_id: str | None = None,
        *,
        run: bool = True,
        undo: str | None = None,
    ) -> dict[str, Any]:
        """The names that a step's formulas may use. `now` is when the step was first started, on every attempt.

        `run`: whether any of them asks for the run; otherwise what is true of this attempt is not put in. `undo`: the
        action that the step undoes.
        """
        return {
            "trigger": self._trigger,
            "steps": self._steps_for(undo, state) if undo else self._steps,
            "run": {**self._run, "now": iso(now), "attempt": attempt} if run else self._run,
            "vars": {},
            "error": None if state is None or node_id is None else self._error_before(state, node_id),
            **self._given,
        }

    def _steps_for(self, action: str, state: RunState | None) -> dict[str, JSON]:
        """What the steps gave when the call was made that is to be undone. What this action gives in this generation is
        another matter once it was begun here: that is another call, and what led to it may have been different, too."""
        step = None if state is None else state.step(action)
        if action not in self._earlier or step is None or (action in self._ahead and step.first_started_at is not None):
            return self._steps
        own = {node.key for node in self._version.graph.nodes}
        return {key: value for key, value in self._steps.items() if key not in own} | self._earlier[action]

    def _error_before(self, state: RunState, node_id: str) -> JSON:
        """The failure that led here: of the nearest failed step upstream, the last one in the order of the graph; or
        that for which the run is undone."""
        if node_id in self._version.graph.undoes:
            return self._shown(state.error or _ASKED_FOR)
        failed = StepStatus.FAILED
        failures = [key[0] for key, step in state.steps.items() if step.status is failed and key[1] == state.generation]
        if not failures:
            return None
        upstream = _upstream(self._version, node_id)
        found = [node for node in self._version.graph.order if node in upstream and node in failures]
        if not found:
            return None
        step = state.steps[StepKey(found[-1], state.generation)]
        return None if step.error is None else self._shown(replace(step.error, node=found[-1]))

    def _shown(self, error: StepError) -> dict[str, Any]:
        shown: dict[str, Any] = error_document(error)
        shown.pop("retry_after_seconds")
        shown.pop("may_have_happened", None)
        node = self._version.graph.by_id.get(error.node or "")
        shown["step"] = None if node is None else node.key
        return shown


def _upstream(version: Version, node_id: str) -> set[str]:
    found: set[str] = set()
    todo = [node_id]
    while todo:
        for source, _ in version.graph.before[todo.pop()]:
            if source not in found:
                found.add(source)
                todo.append(source)
    return found


async def document_of(text: str, fetch: Fetch) -> JSON:
    """The document of a row, wherever it stands."""
    reference = reference_in(text)
    return document(text) if reference is None else await fetch(reference)
