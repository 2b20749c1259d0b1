"""Making an attempt ready: its key, its settings worked out, its input recorded."""

from __future__ import annotations

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
    if not step.node.is_trigger or event is None:
        return False
    return event.body_size > _HEAVY_BYTES or '"content-encoding"' in event.headers


async def resolve(driver: Driver, asked: Asked, first_started_at: int) -> None:
    """Work out the settings of an attempt; those of an effect that were recorded are used again, byte for byte (I11).

    Raises what the step type refuses (StepFailure) and StoreUnavailable.
    """
    step, shell, claimed, values = asked.step, driver.shell, driver.claimed, driver.values
    if step.refused is not None:
        raise step.refused
    assert step.prepared is not None
    if not asked.inline:
        asked.key = effect_key(shell.key_secret, claimed.run_id, step.node.id, claimed.generation, 0)
    if values.has_references:
        await values.fetch(shell.fetch)
    asked.step_input = values.input_of(step.node, driver.state)
    record = driver.records.get(step.node.id)
    if step.writes and record is not None and record.input is not None:
        recorded: Any = await document_of(record.input, shell.fetch)
        asked.input_text = record.input
        asked.config = step.prepared.validate(recorded)
        return
    if step.static_input is not None:
        asked.input_text, asked.config = step.static_input, step.prepared.static
    else:
        context = values.context(driver.state, asked.attempt, first_started_at, step.node.id)
        resolved = step.prepared.resolved(context)
        asked.config = step.prepared.validate(resolved)
        asked.input_text = dumps(resolved)
    if len(asked.input_text) > INLINE_CHARACTERS:
        reference = await shell.keep(
            workspace_id=claimed.workspace_id, text=asked.input_text, name=f"{step.node.key}-input.json"
        )
        asked.input_text = reference.text()
