"""Save to SFTP: a file in a folder of another machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runtime.sdk import JSON, Context, NodeType, Result, Words, field, saving
from runtime.sdk.folders import Open
from runtime.sdk.place_connections import sftp_server
from runtime.sdk.probes import Probe, Verdict, Work
from runtime.sdk.saving import SaveSettings


class SaveSftpConfig(SaveSettings):
    connection: str = field(
        title="Server",
        help="The connection says which server it is, and who signs in.",
        widget="connection",
        kinds=("sftp",),
        order=1,
        min_length=1,
        max_length=100,
    )


async def run(config: SaveSftpConfig, step_input: JSON, context: Context) -> Result:
    return await saving.save(config, context, *await _place(config, context))


async def look(config: SaveSftpConfig, step_input: JSON, context: Context, work_out: Work) -> Verdict:
    """Whether it is there already."""
    return await saving.is_saved(config, context, *await _place(config, context))


async def _place(config: SaveSftpConfig, context: Context) -> tuple[Open, str]:
    opened = await context.connection(config.connection)
    server = sftp_server(opened.fields)
    return context.sftp.open(server, total_seconds=context.timeout_seconds), server.host


def summary(config: Mapping[str, Any], words: Words) -> str:
    return saving.summary(config, words)


NODE = NodeType(
    name="files.save_sftp",
    version=1,
    category="app",
    icon="server",
    title="Save to SFTP",
    description="Puts a file into a folder of another machine, whole or not at all.",
    synonyms=("sftp", "ssh", "ftp", "upload", "transfer", "bank", "file", "put"),
    config=SaveSftpConfig,
    run=run,
    effect=saving.effect,
    summary=summary,
    extra_problems=saving.problems,
    probe=Probe(look, saving.patience),
    examples=(saving.EXAMPLE,),
)
