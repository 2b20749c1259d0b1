"""Save to a folder: a file on the machine that runs Millrace, or on a drive of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runtime.sdk import JSON, Context, NodeType, Result, Words, field, saving
from runtime.sdk.folders import Open
from runtime.sdk.probes import Probe, Verdict, Work
from runtime.sdk.saving import SaveSettings


class SaveFolderConfig(SaveSettings):
    connection: str = field(
        title="Connection",
        help="Says which folder it is: one that whoever runs Millrace has opened.",
        widget="connection",
        kinds=("folder",),
        order=1,
        min_length=1,
        max_length=100,
    )


async def run(config: SaveFolderConfig, step_input: JSON, context: Context) -> Result:
    return await saving.save(config, context, *await _place(config, context))


async def look(config: SaveFolderConfig, step_input: JSON, context: Context, work_out: Work) -> Verdict:
    """Whether it is there already."""
    return await saving.is_saved(config, context, *await _place(config, context))


async def _place(config: SaveFolderConfig, context: Context) -> tuple[Open, str]:
    opened = await context.connection(config.connection)
    path = str(opened.fields.get("path", ""))
    return context.folders.open(path), path


def summary(config: Mapping[str, Any], words: Words) -> str:
    return saving.summary(config, words)


NODE = NodeType(
    name="files.save_folder",
    version=1,
    category="app",
    icon="folder-down",
    title="Save to a folder",
    description="Puts a file into a folder of this machine or a network drive, whole or not at all.",
    synonyms=("disk", "drive", "share", "directory", "local", "file", "export", "put"),
    config=SaveFolderConfig,
    run=run,
    effect=saving.effect,
    summary=summary,
    extra_problems=saving.problems,
    probe=Probe(look, saving.patience),
    examples=(saving.EXAMPLE,),
)
