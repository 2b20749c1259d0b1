"""Run another workflow: as a step of this one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from runtime.sdk import JSON, Config, Context, EffectClass, Example, NodeType, OwnRuns, PermanentError, Words, field


class RunWorkflowConfig(Config):
    workflow: str = field(
        title="Workflow",
        help="One that has the start “Called by another workflow”. Its live version is run.",
        widget="workflow",
        order=1,
        min_length=1,
        max_length=64,
    )
    input: Any = field(
        None,
        title="What it is given",
        help="Its start hands this on as it is.",
        widget="json",
        expression=True,
        placeholder="{{ trigger.body }}",
        order=2,
    )
    wait: bool = field(
        True,
        title="Wait for its end",
        help="Then its failure is the failure of this step, and what it did is undone with this run.",
        widget="toggle",
        order=3,
    )


def run(config: RunWorkflowConfig, step_input: JSON, context: Context) -> OwnRuns:
    try:
        workflow = UUID(config.workflow)
    except ValueError:
        raise PermanentError("This is not a workflow", "Choose the workflow from the list.", "workflow") from None
    return OwnRuns("call", items=(config.input,), waits=config.wait, workflow_id=workflow)


def summary(config: Mapping[str, Any], words: Words) -> str:
    if not config.get("workflow"):
        return ""
    return "And wait for its end" if config.get("wait", True) else "Without waiting for its end"


NODE = NodeType(
    name="flow.run_workflow",
    version=1,
    category="logic",
    icon="workflow",
    title="Run another workflow",
    description="Starts another workflow as a run of its own, and waits for its end if you like.",
    synonyms=("call", "sub-workflow", "subflow", "child", "reuse", "invoke", "start workflow", "aufrufen"),
    config=RunWorkflowConfig,
    run=run,
    effect=EffectClass.PURE,
    effect_note="The steps of the other workflow have their own.",
    summary=summary,
    inline=True,
    examples=(
        Example(
            title="Check the supplier",
            config={"workflow": "0197a1c2-0000-7000-8000-000000000001", "input": "{{ trigger.body.supplier }}"},
            context={"trigger": {"body": {"supplier": {"number": "70012"}}}},
            output={"run_id": "0197a1c2-0000-7000-8000-00000000000a", "outcome": "done", "result": {"approved": True}},
        ),
    ),
)
