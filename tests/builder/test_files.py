"""Files over the API: taken in and handed out in portions, by name, right and workspace."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from builder.config.arriving import Arriving
from builder.workflows import services
from builder.workflows.models import Workflow
from runtime.sdk.files import clean_name, disposition
from runtime.store import files as store
from runtime.store.models import File, Version
from tests import factories
from tests.builder.conftest import World
from tests.builder.test_people import run_of
from tests.factories import Answer


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(settings, "DATA_DIR", tmp_path)
    return tmp_path / "artifacts" / "files"


def upload(world: World, data: bytes, name: str = "a.csv", mime: str = "text/csv", **headers: str) -> Answer:
    path = f"{world.here}/files"
    sent = {"Content-Type": mime, **headers}
    return world.as_alice.call("POST", f"{path}?name={name}", raw=data, headers=sent)


def download(world: World, path: str) -> tuple[int, dict[str, str], bytes]:
    response: Any = world.as_alice.client.get(f"/api/v1{world.here}{path}")
    body = b"".join(response.streaming_content) if response.streaming else response.content
    return response.status_code, dict(response.headers), body


def on_disk(folder: Path) -> list[Path]:
    return [path for path in folder.glob("*/*") if path.is_file()]


def test_a_file_comes_back_as_it_went_in(world: World, folder: Path) -> None:
    data = bytes(range(256)) * 4096
    added = upload(world, data, "Auszug.bin", "application/x-thing; a=b")
    assert added.status == 201, added.body
    assert added.body["sha256"] == hashlib.sha256(data).hexdigest()
    assert (added.body["size"], added.body["mime"], added.body["created_by"]) == (
        len(data), "application/x-thing", "Alice",
    )  # fmt: skip
    status, headers, body = download(world, f"/files/{added.body['id']}/content")
    assert (status, body) == (200, data)
    assert headers["Content-Disposition"] == "attachment; filename=\"Auszug.bin\"; filename*=UTF-8''Auszug.bin"
    assert (headers["X-Content-Type-Options"], headers["Accept-Ranges"]) == ("nosniff", "none")
    assert [path.stat().st_mode & 0o777 for path in on_disk(folder)] == [0o600]


def test_an_upload_under_a_key_is_one_file_however_often_it_comes(world: World, folder: Path) -> None:
    key = {"Idempotency-Key": "statement-11"}
    first, again = upload(world, b"a;b\n1;2\n", **key), upload(world, b"a;b\n1;2\n", **key)
    assert (first.status, again.status, again.headers["Idempotent-Replay"]) == (201, 201, "true")
    assert first.body == again.body
    assert len(on_disk(folder)) == 1
    other = upload(world, b"a;b\n1;2\n3;4\n", **key)
    assert (other.status, other.body["code"]) == (409, "key_reused")


def test_one_byte_too_many_is_refused_and_leaves_nothing(
    world: World, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "most_bytes", lambda: 10)
    assert upload(world, b"0123456789").status == 201
    refused = upload(world, b"0123456789a")
    assert (refused.status, refused.code) == (413, "file_too_large")
    assert "at most 10 bytes" in refused.body["title"]
    assert (len(on_disk(folder)), File.objects.count()) == (1, 1)


@pytest.mark.parametrize("mime", ["multipart/form-data; boundary=x", "Application/X-WWW-Form-Urlencoded"])
def test_forms_are_refused(world: World, folder: Path, mime: str) -> None:
    assert upload(world, b"--x\r\n\r\n--x--", mime=mime).status == 415
    assert on_disk(folder) == []


def test_files_are_found_by_name_and_gone_when_removed(world: World, folder: Path) -> None:
    ids = [upload(world, b"x", name).body["id"] for name in ("May.csv", "june.csv", "may.pdf")]
    found = world.as_alice.get(f"{world.here}/files?search=MAY").body["items"]
    assert [one["id"] for one in found] == [ids[2], ids[0]]
    assert world.as_alice.delete(f"{world.here}/files/{ids[0]}").status == 204
    assert world.as_alice.delete(f"{world.here}/files/{ids[0]}").status == 404
    assert world.as_alice.get(f"{world.here}/files/{ids[0]}").status == 404
    assert download(world, f"/files/{ids[0]}/content")[0] == 404
    assert len(on_disk(folder)) == 2
    row = File.objects.get(pk=ids[0])
    assert (row.removed_by, row.removed_at is not None) == (world.alice.id, True)


def test_another_workspaces_file_is_not_there(world: World) -> None:
    """S3: whoever names it, under whichever workspace."""
    added = upload(world, b"secret").body["id"]
    for workspace in (world.northwind.id, world.southwind.id):
        for path in (f"/files/{added}", f"/files/{added}/content", f"/files/archive?ids={added}"):
            assert world.as_mallory.get(f"/workspaces/{workspace}{path}").status == 404


def test_many_files_come_as_one_archive_with_names_of_their_own(world: World) -> None:
    ids = [upload(world, name.encode() * 5000, name).body["id"] for name in ("a.csv", "A.csv", "a.csv", "b.pdf")]
    status, headers, body = download(world, f"/files/archive?ids={','.join(ids)}")
    assert (status, headers["Content-Type"]) == (200, "application/zip")
    with zipfile.ZipFile(io.BytesIO(body)) as packed:
        assert packed.testzip() is None
        assert packed.namelist() == ["a.csv", "A (2).csv", "a (3).csv", "b.pdf"]
        assert packed.read("A (2).csv") == b"A.csv" * 5000


def test_damaged_bytes_are_never_handed_out_whole(world: World, folder: Path) -> None:
    added = upload(world, b"the truth").body["id"]
    assert store.verify() == []
    on_disk(folder)[0].write_bytes(b"the trutH")
    assert [str(one) for one in store.verify()] == [added]
    with pytest.raises(Exception, match="changed"):
        download(world, f"/files/{added}/content")


NAMES = [
    ('a"b;c.txt', "a_b;c.txt"), ("../../etc/passwd", "_._etc_passwd"), ("CON.txt", "_CON.txt"), ("lpt1", "_lpt1"),
    ("invoice\u202excod.exe", "invoicexcod.exe"), ("", "file"), (" . ", "file"),
    ("a\r\nSet-Cookie: x", "aSet-Cookie_ x"),
    ("Auszug ü.pdf", "Auszug ü.pdf"), ("\ud800x", "x"), ("😀.png", "😀.png"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "clean"), NAMES)
def test_names_are_made_fit_for_every_system(name: str, clean: str) -> None:
    """S96."""
    assert clean_name(name) == clean
    assert clean_name(clean) == clean
    header = disposition(clean)
    assert header.isascii()
    assert header.isprintable()
    assert header.count('"') == 2


def test_a_long_name_keeps_its_ending() -> None:
    name = clean_name("ü" * 300 + ".xlsx")
    assert len(name.encode()) <= 200
    assert name.endswith("ü.xlsx")
    assert len(clean_name("x" * 500).encode()) == 200


async def test_a_body_is_read_as_it_comes() -> None:
    messages: Iterator[dict[str, Any]] = iter(
        [
            {"type": "http.request", "body": b"abc", "more_body": True},
            {"type": "http.request", "body": b"", "more_body": True},
            {"type": "http.request", "body": b"de"},
        ]
    )

    async def receive() -> dict[str, Any]:
        return next(messages)

    arriving = Arriving(receive, asyncio.get_running_loop(), patience=5)
    read = [await asyncio.to_thread(arriving.read, 2) for _ in range(4)]
    assert read == [b"ab", b"c", b"de", b""]


async def test_who_sends_too_slowly_or_goes_away_is_not_waited_for() -> None:
    async def nothing() -> dict[str, Any]:
        await asyncio.sleep(60)
        return {}

    async def gone() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    loop = asyncio.get_running_loop()
    with pytest.raises(TimeoutError):
        await asyncio.to_thread(Arriving(nothing, loop, patience=0.01).read, 2)
    with pytest.raises(ConnectionError):
        await asyncio.to_thread(Arriving(gone, loop, patience=5).read, 2)


def logo_of(file_id: str) -> dict[str, Any]:
    """A workflow that draws a document with this file as its logo."""
    design = {"version": 1, "title": "x", "blocks": [{"kind": "logo", "image": file_id}]}
    return factories.graph(
        ("start", "trigger.webhook@1", {}),
        ("paper", "documents.create@1", {"design": design, "data": "{{ trigger.body }}", "name": "May"}),
        edges=["start -> paper"],
    )


def test_a_file_that_is_a_documents_logo_says_so_and_is_not_removed_unasked(world: World) -> None:
    added = upload(world, b"x", "logo.png", "image/png").body["id"]
    assert world.as_alice.get(f"{world.here}/files/{added}/uses").body == {"items": []}
    workflow = world.workflow()
    now = datetime.now(UTC)
    services.save_draft(workflow=workflow, graph=logo_of(added), expected=1, by=world.bo, now=now)
    services.publish(workflow=workflow, by=world.bo, note="")
    (use,) = world.as_alice.get(f"{world.here}/files/{added}/uses").body["items"]
    assert use == {
        "id": str(workflow.id), "name": workflow.name, "steps": ["Paper"], "draft": True, "live": True,
    }  # fmt: skip
    services.save_draft(workflow=workflow, graph=factories.small_graph(), expected=2, by=world.bo, now=now)
    (use,) = world.as_alice.get(f"{world.here}/files/{added}/uses").body["items"]
    assert (use["draft"], use["live"]) == (False, True)
    refused = world.as_alice.delete(f"{world.here}/files/{added}")
    assert (refused.status, refused.code) == (409, "file_used")
    assert workflow.name in refused.body["title"]
    assert world.as_alice.delete(f"{world.here}/files/{added}?even_if_used=true").status == 204
    assert world.as_alice.get(f"{world.here}/files/{added}/uses").status == 404


def test_a_file_says_which_step_of_which_workflow_made_it(world: World) -> None:
    run = run_of(world)
    Version.objects.filter(pk=run.version_id).update(graph=json.dumps(factories.small_graph()))
    added = upload(world, b"x").body
    assert (added["workflow_name"], added["step"]) == (None, None)
    made = File.objects.filter(pk=added["id"])
    made.update(workflow_id=run.workflow_id, run_id=run.pk, node_id="n_fields", created_by=None)
    (found,) = world.as_alice.get(f"{world.here}/files").body["items"]
    name = Workflow.objects.get(pk=run.workflow_id).name
    assert (found["workflow_name"], found["step"]) == (name, "Fields")
    assert world.as_alice.get(f"{world.here}/files/{added['id']}").body["step"] == "Fields"
