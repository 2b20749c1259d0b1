"""Save to S3: a file as an object of an S3-compatible storage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runtime.sdk import JSON, Context, FileValue, NodeType, Result, StepFailure, Words, field, saving
from runtime.sdk.place_connections import bucket_of, within
from runtime.sdk.probes import DidNotHappen, Happened, Probe, Verdict, Work
from runtime.sdk.s3 import Bucket
from runtime.sdk.saving import SaveSettings, Target


class SaveS3Config(SaveSettings):
    connection: str = field(
        title="Storage",
        help="The connection says which bucket it is, and with which key.",
        widget="connection",
        kinds=("s3",),
        order=1,
        min_length=1,
        max_length=100,
    )


async def run(config: SaveS3Config, step_input: JSON, context: Context) -> Result:
    opened = await context.connection(config.connection)
    bucket = bucket_of(opened.fields)
    value = await saving.known(config, context)
    target = saving.target_of(config, value)
    request = saving.request_of(value, target, bucket.name)
    try:
        name = await _put(config, context, bucket, opened.fields, value, target)
    except StepFailure as failure:
        failure.request = request
        raise
    return saving.saved(value, target.called(name), bucket.name, request)


async def _put(
    config: SaveS3Config, context: Context, bucket: Bucket, fields: Mapping[str, Any], value: FileValue, target: Target
) -> str:
    """Write it under the first name that is free, where it is not to replace another; the name."""
    replace, http = config.exists == "overwrite", context.http
    for number in range(1, (saving.MOST_NUMBERS if config.exists == "number" else 1) + 1):
        name = saving.numbered(target.name, number)
        key = within(fields, target.called(name))
        if not replace and await bucket.head(http, key, now_ms=context.now_ms) is not None:
            continue
        done = await bucket.put(
            http, key, lambda: context.files.open(value), size=value.size, sha256=value.sha256, mime=value.mime,
            mark=saving.mark(context), replace=replace, now_ms=context.now_ms, total_seconds=context.timeout_seconds,
        )  # fmt: skip
        if done:
            return name
    raise saving.already_there(target.path, bucket.name)


async def look(config: SaveS3Config, step_input: JSON, context: Context, work_out: Work) -> Verdict:
    """Whether it is there already: under a name that it could have been given, with this step's mark."""
    opened = await context.connection(config.connection)
    bucket = bucket_of(opened.fields)
    value = await saving.known(config, context)
    target = saving.target_of(config, value)
    request = saving.request_of(value, target, bucket.name)
    for number in range(1, (saving.MOST_NUMBERS if config.exists == "number" else 1) + 1):
        path = target.called(saving.numbered(target.name, number))
        found = await bucket.head(context.http, within(opened.fields, path), now_ms=context.now_ms)
        if found is None:
            break
        if (found.size, found.mark) == (value.size, saving.mark(context)):
            return Happened(saving.saved(value, path, bucket.name, request))
    return DidNotHappen(request)


def summary(config: Mapping[str, Any], words: Words) -> str:
    return saving.summary(config, words)


NODE = NodeType(
    name="files.save_s3",
    version=1,
    category="app",
    icon="cloud-upload",
    title="Save to S3",
    description="Puts a file into a bucket of an S3-compatible storage.",
    synonyms=("s3", "bucket", "aws", "cloud", "object", "storage", "minio", "archive", "upload"),
    config=SaveS3Config,
    run=run,
    effect=saving.effect,
    summary=summary,
    extra_problems=saving.problems,
    probe=Probe(look, saving.patience),
    examples=(saving.EXAMPLE,),
)
