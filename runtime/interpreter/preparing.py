"""Making an attempt ready: its key, its settings worked out, its input recorded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from runtime.engine.jsonprofile import dumps
from runtime.interpreter.keys import effect_key
from runtime.interpreter.outputs import document_of
from runtime.interpreter.payloads import INLINE_CHARACTERS
from runtime.interpreter.records import Asked
from runtime.interpreter.versions import Step
from runtime.store.records import EventRow

if TYPE_CHECKING:
    from runtime.interpreter.driver import Driver

_HEAVY_BYTES: Final = 256 * 1024


def is_heavy(step: Step, event: EventRow | None) -> bool:
    """A start that has to read a large body, or one that may be large once unpacked, does so in a thread."""
    if event is None or not step.node.is_trigger:
        return False
    return event.body_size > _HEAVY_BYTES or '"content-encoding"' in event.headers


def is_given(driver: Driver, node_id: str) -> bool:
    """Whether the settings are the recorded ones: those of a further generation are worked out, or edited, once."""
    if driver.claimed.generation == 1:
        return False
    record = driver.records.get(node_id)
    return record is not None and record.input is not None


def resolve_at_once(driver: Driver, asked: Asked, first_started_at: int) -> bool:
    """Like `resolve`, where nothing has to be read or stored for it: nearly always. False where something has."""
    step, values = asked.step, driver.values
    if step.writes or values.has_references:
        return False
    if step.refused is not None:
        raise step.refused
    asked.step_input = values.input_of(step.node, driver.state)
    _work_out(driver, asked, first_started_at)
    return len(asked.input_text) <= INLINE_CHARACTERS


async def resolve(driver: Driver, asked: Asked, first_started_at: int) -> None:
    """Work out the settings of an attempt; those of an effect that were recorded are used again, byte for byte (I11).

    Raises what the step type refuses (StepFailure) and StoreUnavailable.
    """
    step, shell, claimed, values = asked.step, driver.shell, driver.claimed, driver.values
    if step.refused is not None:
        raise step.refused
    assert step.prepared is not None
    if not asked.inline:
        asked.epoch = driver.epochs.get(step.node.id, 0)
        carried = None if asked.epoch else driver.keys.get(step.node.id)
        asked.key = carried or effect_key(
            shell.key_secret, claimed.run_id, step.node.id, claimed.generation, asked.epoch
        )
    if values.has_references:
        await values.fetch(shell.fetch)
    asked.step_input = values.input_of(step.node, driver.state)
    record = driver.records.get(step.node.id)
    if (lost_call := driver.lost_calls.get(step.node.id)) is not None and not asked.epoch:
        # It may have happened by that call: the same bytes under the same key do no harm (I11).
        asked.input_text, asked.key = lost_call
        sent: Any = await document_of(asked.input_text, shell.fetch)
        asked.config = step.prepared.validate(sent)
        return
    if record is not None and record.input is not None and (step.writes or claimed.generation > 1):
        recorded: Any = await document_of(record.input, shell.fetch)
        if step.writes or not step.prepared.unsolved(recorded):
            asked.input_text = record.input
            asked.config = step.prepared.validate(recorded)
            return
        # What could not be worked out stands there as text, and must be no value for that.
        anew = step.prepared.worked_out_anew(recorded, _context(driver, asked, first_started_at))
        asked.config = step.prepared.validate(anew)
        asked.input_text = dumps(anew)
    else:
        _work_out(driver, asked, first_started_at)
    if len(asked.input_text) > INLINE_CHARACTERS:
        reference = await shell.keep(
            workspace_id=claimed.workspace_id, text=asked.input_text, name=f"{step.node.key}-input.json"
        )
        asked.input_text = reference.text()


def _work_out(driver: Driver, asked: Asked, first_started_at: int) -> None:
    step, prepared = asked.step, asked.step.prepared
    assert prepared is not None
    if step.static_input is not None:
        asked.input_text, asked.config = step.static_input, prepared.static
        return
    resolved = prepared.resolved(_context(driver, asked, first_started_at))
    asked.config = prepared.validate(resolved)
    asked.input_text = dumps(resolved)


def _context(driver: Driver, asked: Asked, first_started_at: int) -> Mapping[str, Any]:
    """What formulas of a step see."""
    step, prepared = asked.step, asked.step.prepared
    assert prepared is not None
    return driver.values.context(
        driver.state,
        asked.attempt,
        first_started_at,
        step.node.id if prepared.reads_error else None,
        run=prepared.reads_run,
        undo=driver.graph.undoes.get(step.node.id),
    )
