"""The audit log by HTTP: who may see it, what is found, what an export holds and how anybody verifies it."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, transaction

from builder.accounts.rights import Scope
from builder.api.agents import short_agent
from builder.audit import chain, notes, verify
from builder.audit.chain import INSTALLATION
from builder.audit.models import AuditHead, AuditRow
from builder.config import housekeeping
from tests.builder.audited import flow_of
from tests.builder.audited_things import FIELDS
from tests.builder.conftest import World
from tests.databases import unguarded
from tests.factories import Answer

SCRIPT = Path(__file__).resolve().parents[2] / "docs/check_audit.py"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(settings, "DATA_DIR", tmp_path)
    return tmp_path


def busy(world: World) -> str:
    """Several people did several things; the path of the workflow."""
    workflow = flow_of(world)
    here = f"{world.here}/workflows/{workflow.id}"
    world.as_bo.patch(here, {"name": "Order to cash, 2027"})
    world.as_bo.post(f"{here}/hold", {"reason": "The “ERP” is away: Ölmühle"}, headers={"User-Agent": FIREFOX})
    world.as_alice.post(f"{world.here}/members", {"email": "new@example.org", "role": "viewer"})
    world.as_bo.post(f"{world.here}/connections", {"kind": "http_bearer", "name": "=Bank()", "fields": FIELDS})
    return here


def listed(world: World, query: str = "") -> list[dict[str, Any]]:
    answer = world.as_alice.get(f"{world.here}/audit{query}")
    assert answer.status == 200, answer.body
    return list(answer.body["items"])


def verbs(items: list[dict[str, Any]]) -> list[str]:
    return [item["verb"] for item in items]


def test_the_newest_comes_first_with_who_where_and_what(world: World) -> None:
    here = busy(world)
    items = listed(world)
    assert verbs(items) == [
        "connection.created", "member.invited", "workflow.held", "workflow.renamed", "workflow.published",
    ]  # fmt: skip
    held, renamed = items[2], items[3]
    assert held["actor"] == {"kind": "member", "id": str(world.bo.id), "name": "Bo"}
    assert held["object"] == {"kind": "workflow", "id": here.rpartition("/")[2], "name": "Order to cash, 2027"}
    assert (held["address"], held["agent"]) == ("127.0.0.1", "Firefox 140, Linux")
    assert held["detail"] == {
        "said": {"reason": "The “ERP” is away: Ölmühle", "open_runs": "finish"},
        "before": {"held": "no"}, "after": {"held": "held"},
    }  # fmt: skip
    assert renamed["detail"] == {"before": {"name": "Order to cash"}, "after": {"name": "Order to cash, 2027"}}
    assert [item["sequence"] for item in items] == [5, 4, 3, 2, 1]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?actor={bo}", 4), ("?actor={alice}", 1), ("?verb=workflow.held,member.invited", 2),
        ("?kind=workflow", 3), ("?kind=workflow&object={workflow}", 3), ("?q=Ölmühle", 1), ("?q=erp", 1),
        ("?q=%22ERP%22", 0), ("?q=2027%20bo", 2), ("?since=2020-01-01T00:00:00Z", 5),
        ("?until=2020-01-01T00:00:00Z", 0), ("?since=2020-01-01T00:00:00Z&until=2999-01-01T00:00:00Z&kind=member", 1),
    ],
)  # fmt: skip
def test_rows_are_found(world: World, query: str, found: int) -> None:
    here = busy(world)
    chosen = query.format(bo=world.bo.id, alice=world.alice.id, workflow=here.rpartition("/")[2])
    assert len(listed(world, chosen)) == found


def test_pages_follow_each_other(world: World) -> None:
    busy(world)
    seen: list[int] = []
    cursor = ""
    for _ in range(5):
        page = world.as_alice.get(f"{world.here}/audit?limit=2{cursor}").body
        seen += [item["sequence"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == [5, 4, 3, 2, 1]
    for bad in ("x", "-1", "9" * 30, "٣"):
        assert world.as_alice.get(f"{world.here}/audit?cursor={bad}").code == "bad_cursor"


def test_who_and_what_there_is_to_choose_from_is_told(world: World) -> None:
    busy(world)
    found = world.as_alice.get(f"{world.here}/audit/filters").body
    assert [actor["name"] for actor in found["actors"]] == ["Alice", "Bo"]
    assert found["verbs"] == sorted(set(verbs(listed(world))))


def test_admins_see_the_log_and_others_the_history_of_what_they_see_without_from_where(world: World) -> None:
    here = busy(world)
    reader = world.program(world.alice, Scope.READ, Scope.RUN, Scope.BUILD)
    for way in ("", "/filters", "/check", "/export"):
        for caller in (world.as_vera, world.as_rosa, world.as_bo, reader):
            assert caller.get(f"{world.here}/audit{way}").status == 403
        assert world.as_mallory.get(f"{world.here}/audit{way}").status == 404
    history = world.as_vera.get(f"{here}/history").body["items"]
    assert verbs(history) == ["workflow.held", "workflow.renamed", "workflow.published"]
    assert not {"address", "agent", "request_id", "digest"} & set(history[0])
    assert world.as_mallory.get(f"{here}/history").status == 404
    bank = world.as_bo.get(f"{world.here}/connections").body["items"][0]["id"]
    assert world.as_vera.get(f"{world.here}/connections/{bank}/history").status == 403
    assert verbs(world.as_bo.get(f"{world.here}/connections/{bank}/history").body["items"]) == ["connection.created"]
    assert world.as_bo.get(f"{world.here}/connections/{uuid4()}/history").status == 404


def test_the_history_of_a_thing_is_its_own_only(world: World) -> None:
    here = busy(world)
    other = flow_of(world)
    assert verbs(world.as_vera.get(f"{world.here}/workflows/{other.id}/history").body["items"]) == [
        "workflow.published"
    ]
    assert len(world.as_vera.get(f"{here}/history").body["items"]) == 3


def test_the_installations_log_is_for_its_admins(world: World) -> None:
    world.as_nobody.post("/session", {"email": "nobody@example.org", "password": "x"})
    assert verbs(world.as_alice.get("/installation/audit").body["items"]) == ["session.refused"]
    assert world.as_alice.get("/installation/audit/check").body["ok"]
    assert world.as_bo.get("/installation/audit").status == 403
    assert world.as_alice.get("/installation/audit/export").status == 200


def export(world: World, query: str = "") -> Answer:
    answer = world.as_alice.get(f"{world.here}/audit/export{query}")
    assert answer.status == 200, answer.body
    assert "attachment" in answer.headers["Content-Disposition"]
    return answer


def checked(path: Path) -> tuple[int, str]:
    """What the script says of a file."""
    done = subprocess.run([sys.executable, str(SCRIPT), str(path)], capture_output=True, text=True, check=False)
    return done.returncode, (done.stdout + done.stderr).strip()


def test_an_export_tells_of_itself_and_is_verified_by_twenty_lines(world: World, folder: Path) -> None:
    busy(world)
    raw = export(world).raw
    first, *rows = [json.loads(line) for line in raw.splitlines()]
    assert (first["whole"], first["head"]["sequence"], first["workspace"]) == (True, 6, "Northwind")
    assert [row["sequence"] for row in rows] == [1, 2, 3, 4, 5, 6]
    assert (rows[-1]["verb"], rows[-1]["actor"]["name"]) == ("audit.exported", "Alice")
    path = folder / "audit.jsonl"
    path.write_bytes(raw)
    assert checked(path) == (0, "6 rows, as they were written.")
    assert len(SCRIPT.read_text().splitlines()) <= 22


@pytest.mark.parametrize(
    ("tamper", "said"),
    [
        (lambda lines: lines.__setitem__(3, lines[3].replace(b"Bo", b"Vera")), "Row 3 was changed."),
        (lambda lines: lines.pop(3), "Row 4 does not follow row 2"),
        (lambda lines: lines.pop(1), "Row 2 does not follow row 0"),
        (lambda lines: lines.insert(2, lines.pop(3)), "Row 3 does not follow row 1"),
        (lambda lines: lines.insert(3, lines[3]), "Row 3 does not follow row 3"),
        (lambda lines: lines.pop(), "The end was cut off: there are 5 rows of 6."),
    ],
)
def test_the_script_finds_what_was_done_to_an_export(
    world: World, folder: Path, tamper: Callable[[list[bytes]], object], said: str
) -> None:
    busy(world)
    lines = export(world).raw.splitlines(keepends=True)
    tamper(lines)
    path = folder / "audit.jsonl"
    path.write_bytes(b"".join(lines))
    code, words = checked(path)
    assert code == 1
    assert words.startswith(said)


def test_chosen_rows_are_verified_each_by_itself(world: World, folder: Path) -> None:
    busy(world)
    path = folder / "audit.jsonl"
    path.write_bytes(export(world, "?kind=workflow").raw)
    assert checked(path) == (0, "3 rows, as they were written. They are chosen rows: the chain has more.")


def test_a_csv_holds_the_same_and_no_formula(world: World) -> None:
    busy(world)
    text = export(world, "?format=csv").raw.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["sequence"] for row in rows] == ["1", "2", "3", "4", "5", "6"]
    assert rows[4]["object_name"] == "'=Bank()"
    assert rows[2]["at"].endswith("Z")


def test_verifying_tells_the_first_row_that_is_wrong(world: World) -> None:
    busy(world)
    assert world.as_alice.get(f"{world.here}/audit/check").body["ok"]
    with transaction.atomic(), unguarded():
        AuditRow.objects.filter(chain=str(world.northwind.id), sequence=2).update(actor_name="Vera")
    found = world.as_alice.get(f"{world.here}/audit/check").body
    assert (found["ok"], found["fault"]["sequence"], found["fault"]["what"]) == (False, 2, "changed")


def test_the_command_verifies_every_chain_also_against_an_export(world: World, folder: Path, capsys: Any) -> None:
    busy(world)
    path = folder / "audit.jsonl"
    path.write_bytes(export(world).raw)
    call_command("verify_audit", export=[str(path)])
    assert "Northwind: 6 rows, whole." in capsys.readouterr().out
    here = str(world.northwind.id)
    with transaction.atomic(), unguarded():
        AuditRow.objects.filter(chain=here, sequence__gt=4).delete()
        last = AuditRow.objects.get(chain=here, sequence=4)
        AuditHead.objects.filter(chain=here).update(sequence=4, digest=last.digest)
    call_command("verify_audit")
    with pytest.raises(CommandError, match="1 of the chains is not as written"):
        call_command("verify_audit", export=[str(path)])
    assert "Northwind: row 5 is wrong." in capsys.readouterr().out
    path.write_bytes(path.read_bytes().replace(b'"sequence":6,', b'"sequence":7,', 1))
    with pytest.raises(CommandError):
        call_command("verify_audit", export=[str(path)])


def test_an_end_that_was_noted_beside_the_database_is_held_against_it(world: World, folder: Path) -> None:
    busy(world)
    housekeeping.put_on_record()
    here = str(world.northwind.id)
    assert notes.noted(here)[0][0] == 5
    with transaction.atomic(), unguarded():
        AuditRow.objects.filter(chain=here, sequence__gt=3).delete()
        last = AuditRow.objects.get(chain=here, sequence=3)
        AuditHead.objects.filter(chain=here).update(sequence=3, digest=last.digest)
    found = world.as_alice.get(f"{world.here}/audit/check").body["fault"]
    assert (found["sequence"], found["what"]) == (4, "cut_off")
    for name in ("A", "B", "C", "D"):
        world.as_alice.post(f"{world.here}/groups", {"name": name})
    housekeeping.put_on_record()
    found = world.as_alice.get(f"{world.here}/audit/check").body["fault"]
    assert (found["sequence"], found["what"]) == (5, "other_than_noted"), "what grew since does not hide it"
    notes.accept(now=0)
    assert world.as_alice.get(f"{world.here}/audit/check").body["ok"], "a restored backup that somebody confirmed"


@pytest.mark.django_db
def test_commands_are_on_the_installations_record(folder: Path, capsys: Any) -> None:
    call_command("setup_link")
    (row,) = AuditRow.objects.filter(chain=INSTALLATION)
    assert (row.verb, row.actor_kind) == ("installation.setup_link_made", "command")
    assert row.actor_name
    token = capsys.readouterr().out.rpartition("=")[2].strip()
    assert token not in str(vars(row))


@pytest.mark.django_db(transaction=True)
def test_people_who_act_at_the_same_time_make_one_chain(world: World) -> None:
    callers = [world.as_alice, world.program(world.alice, *Scope)]
    failed: list[Any] = []

    def act(caller: Any, letter: str) -> None:
        try:
            for number in range(6):
                answer = caller.post(f"{world.here}/groups", {"name": f"{letter}{number}"})
                if answer.status != 201:
                    failed.append(answer.body)
        finally:
            connection.close()

    threads = [threading.Thread(target=act, args=(caller, "xy"[at])) for at, caller in enumerate(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    found = verify.verify(str(world.northwind.id))
    assert found.ok
    assert AuditRow.objects.filter(chain=str(world.northwind.id), verb="group.created").count() == 12


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (FIREFOX, "Firefox 140, Linux"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 "
         "Safari/537.36 Edg/141.0.0.0", "Edge 141, Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
         "Version/18.0 Mobile/15E148 Safari/604.1", "Safari 18, iPhone"),
        ("curl/8.5.0", "curl/8.5.0"), ("", ""), ("x" * 500, "x" * 80),
    ],
)  # fmt: skip
def test_a_browser_is_named_in_few_words(agent: str, words: str) -> None:
    assert short_agent(agent) == words


def test_a_row_is_what_the_documentation_says(world: World) -> None:
    busy(world)
    row = AuditRow.objects.get(chain=str(world.northwind.id), sequence=3)
    found = chain.document([getattr(row, name) for name in chain.COLUMNS])
    written = (SCRIPT.parent / "audit.md").read_text()
    for name in found:
        assert f"`{name}`" in written, name
