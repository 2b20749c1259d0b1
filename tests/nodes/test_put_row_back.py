from __future__ import annotations

from runtime.sdk import EffectClass, Result
from runtime.sdk.testing import run_step
from tests.nodes.tabling import type_of

BACK = "tables.put_back@1"


async def test_it_gives_what_the_row_is_again_and_what_it_was() -> None:
    outcome = await run_step(type_of(BACK), {})
    assert isinstance(outcome, Result)
    assert outcome.note == "Put back"


def test_it_is_one_change_that_needs_no_settings() -> None:
    node_type = type_of(BACK)
    assert node_type.effect_of({}) is EffectClass.KEYED
    assert node_type.is_action, "only such a step can undo"
    assert node_type.problems({}) == []
