"""A drill saves files nowhere but in its own folder, and knows again what it has saved."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from builder.config.drill.recorder import Recorder, Stand, duplicates
from runtime.catalog import CATALOG
from runtime.sdk import PermanentError, Result
from runtime.sdk.probes import DidNotHappen, Happened, working_out
from runtime.sdk.testing import KnownConnection, StepTestContext, run_step

STEPS = ("files.save_sftp@1", "files.save_s3@1", "files.save_folder@1")


def context(folder: Path) -> StepTestContext:
    opened: Any = Stand().open(workspace_id=None, connection_id=None)
    connection = KnownConnection("webhook_secret", opened.fields)
    return StepTestContext(doors=Recorder(folder / "ledger", {}), connections={"c": connection})


def noted(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "ledger").read_bytes().splitlines()]


@pytest.mark.parametrize("name", STEPS)
async def test_a_file_is_saved_in_the_drills_own_folder_and_looked_up_there(name: str, tmp_path: Path) -> None:
    node = CATALOG.get(name)
    assert node is not None
    assert node.probe is not None
    here = context(tmp_path)
    file = (await here.files.save("a.pdf", "application/pdf", [b"x" * 1000])).as_json()
    config: Any = {"connection": "c", "file": file, "folder": "in"}
    resolved = node.prepare(config).resolve({})
    work_out = working_out({}, here.idempotency_key)
    assert isinstance(await node.probe.look(resolved, None, here, work_out), DidNotHappen)
    done = await run_step(node, config, context=here)
    assert isinstance(done, Result)
    # As another process would, after this one was killed.
    again = context(tmp_path)
    again.files = here.files
    assert isinstance(await node.probe.look(resolved, None, again, work_out), Happened)
    with pytest.raises(PermanentError, match="already"):
        await run_step(node, config, context=again)
    (call,) = noted(tmp_path)
    assert call["method"] == ("PUT" if name == "files.save_s3@1" else "SAVE")
    assert duplicates([call, call], keys_count=True) == ({} if call["method"] == "PUT" else {"": 1})


async def test_files_of_calls_and_mails_are_counted_and_go_nowhere(tmp_path: Path) -> None:
    here = context(tmp_path)
    file = (await here.files.save("a.pdf", "application/pdf", [b"x" * 1000])).as_json()
    call, mail = CATALOG.get("http.request@1"), CATALOG.get("email.send@1")
    assert call is not None
    assert mail is not None
    sent: Any = {"method": "POST", "url": "https://erp.example.com/f", "body_type": "file", "file": file}
    answered = await run_step(call, {**sent, "response": "file"}, context=here)
    assert isinstance(answered, Result)
    assert answered.output["file"]["size"] == len(b'{"ok":true}')  # type: ignore[index,call-overload]
    given: Any = {"connection": "c", "to": "a@example.com", "subject": "x", "text": "y", "attachments": file}
    await run_step(mail, given, context=here)
    assert [one["method"] for one in noted(tmp_path)] == ["POST", "MAIL"]
    assert noted(tmp_path)[0]["size"] == 1000
