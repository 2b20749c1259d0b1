from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from runtime.catalog import CATALOG
from runtime.sdk import PermanentError, Result
from runtime.sdk.connections import KINDS
from runtime.sdk.probes import DidNotHappen, Happened, working_out
from runtime.sdk.saving import mark, numbered
from runtime.sdk.testing import KnownConnection, StepTestContext, run_step
from runtime.worker.egress import Egress

FOUND = CATALOG.get("files.save_folder@1")
assert FOUND is not None
NODE = FOUND


class Place:
    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir()
        self.doors = Egress.make(folders=[str(root)])

    def context(self, path: str = "", key: str = "KEY1") -> StepTestContext:
        connection = KnownConnection("folder", {"path": path or str(self.root)})
        return StepTestContext(doors=self.doors, connections={"c": connection}, idempotency_key=key)

    async def _given(self, data: bytes, context: StepTestContext, config: dict[str, Any]) -> tuple[Any, Any]:
        file = await context.files.save("a.pdf", "application/pdf", [data])
        return {"connection": "c", "file": "{{ trigger.file }}", **config}, {"trigger": {"file": file.as_json()}}

    async def save(self, data: bytes = b"data", context: StepTestContext | None = None, **config: Any) -> Any:
        context = context or self.context()
        given, known = await self._given(data, context, config)
        outcome = await run_step(NODE, given, data=known, context=context)
        assert isinstance(outcome, Result)
        return outcome.output

    async def look(self, data: bytes = b"data", **config: Any) -> Any:
        assert NODE.probe is not None
        context = self.context()
        given, known = await self._given(data, context, config)
        resolved = NODE.prepare(given).resolve(known)
        return await NODE.probe.look(resolved, None, context, working_out({}, "KEY1"))

    def there(self) -> dict[str, bytes]:
        return {str(path.relative_to(self.root)): path.read_bytes() for path in self.root.rglob("*") if path.is_file()}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "open")


async def test_the_example_is_what_it_gives(place: Place) -> None:
    example = NODE.examples[0]
    context = place.context()
    context.connections = {"0199a7f0-0000-7000-8000-000000000001": context.connections["c"]}
    outcome = await run_step(NODE, example.config, data=example.context, context=context)
    assert isinstance(outcome, Result)
    assert outcome.output == example.output
    assert list(place.there()) == ["in/2026/payments.csv"]


async def test_what_is_there_already_decides(place: Place) -> None:
    await place.save(b"one")
    with pytest.raises(PermanentError) as refused:
        await place.save(b"two")
    assert refused.value.code == "file_exists"
    assert (await place.save(b"two", exists="number"))["path"] == "a (2).pdf"
    assert (await place.save(b"four", exists="overwrite"))["path"] == "a.pdf"
    assert place.there() == {"a.pdf": b"four", "a (2).pdf": b"two"}


async def test_after_an_interruption_the_bytes_tell_whether_it_happened(place: Place) -> None:
    assert isinstance(await place.look(folder="in"), DidNotHappen)
    await place.save(folder="in")
    assert isinstance(await place.look(folder="in"), Happened)
    assert isinstance(await place.look(b"date", folder="in"), DidNotHappen)


async def test_nothing_is_open_unless_the_operator_opens_it(tmp_path: Path) -> None:
    place = Place(tmp_path / "open")
    place.doors = Egress.make()
    with pytest.raises(PermanentError, match="SAVE_FOLDERS") as refused:
        await place.save()
    assert refused.value.code == "folder_refused"
    assert place.there() == {}


@pytest.mark.parametrize("path", ["", "/../closed", "/x/../../closed", "ed", "/closed/../../etc"])
async def test_only_what_is_open_can_be_reached(tmp_path: Path, path: str) -> None:
    """S86: `/srv/opened` is not within `/srv/open`, and no way leads back up."""
    place = Place(tmp_path / "open")
    for other in ("closed", "opened"):
        (tmp_path / other).mkdir()
    wanted = str(tmp_path) if not path else f"{place.root}{path}"
    with pytest.raises(PermanentError) as refused:
        await place.save(context=place.context(wanted))
    assert refused.value.code in ("folder", "folder_refused")
    assert [one for one in tmp_path.rglob("*") if one.is_file()] == []


async def test_links_within_the_folder_lead_nobody_out(tmp_path: Path) -> None:
    """Whoever else writes into the folder may put links there."""
    place = Place(tmp_path / "open")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.pdf").write_bytes(b"precious")
    (place.root / "way").symlink_to(outside)
    (place.root / "a.pdf").symlink_to(outside / "a.pdf")
    for folder in ("way", "way/deeper"):
        with pytest.raises(PermanentError) as refused:
            await place.save(folder=folder)
        assert refused.value.code == "folder_link"
    with pytest.raises(PermanentError) as refused:
        await place.save(context=place.context(f"{place.root}/way"))
    assert refused.value.code == "folder_link"
    with pytest.raises(PermanentError) as refused:
        await place.save()
    assert refused.value.code == "no_file"
    # Overwriting takes the link's place, and leaves alone what it led to.
    await place.save(b"new", exists="overwrite")
    assert ((outside / "a.pdf").read_bytes(), (place.root / "a.pdf").read_bytes()) == (b"precious", b"new")
    assert not (place.root / "a.pdf").is_symlink()
    assert sorted(os.listdir(outside)) == ["a.pdf"]


async def test_what_a_killed_try_left_is_not_written_through(tmp_path: Path) -> None:
    place = Place(tmp_path / "open")
    outside = tmp_path / "precious"
    outside.write_bytes(b"precious")
    await place.save()
    # Its name is made of the step's key alone.
    (place.root / f".{mark(place.context())}.part").symlink_to(outside)
    await place.save(b"second", exists="number")
    assert outside.read_bytes() == b"precious"
    assert place.there() == {"a.pdf": b"data", "a (2).pdf": b"second"}


async def test_a_file_system_without_second_names_is_written_all_the_same(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: Any, **_more: Any) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    await place.save()
    with pytest.raises(PermanentError):
        await place.save(b"two")
    assert (await place.save(b"two", exists="number"))["path"] == "a (2).pdf"
    assert place.there() == {"a.pdf": b"data", "a (2).pdf": b"two"}


async def test_a_folder_in_the_place_of_the_file_is_said(place: Place) -> None:
    (place.root / "a.pdf").mkdir()
    for exists in ("fail", "overwrite", "number"):
        with pytest.raises(PermanentError) as refused:
            await place.save(exists=exists)
        assert refused.value.code == "no_file"


async def test_the_connection_test_looks_and_writes_nothing(tmp_path: Path) -> None:
    place = Place(tmp_path / "open")
    kind = KINDS["folder"]
    assert "open for steps" in await kind.test({"path": str(place.root)}, place.doors)
    for path in (str(tmp_path), f"{place.root}/missing"):
        with pytest.raises(Exception, match=str(tmp_path)):
            await kind.test({"path": path}, place.doors)
    assert place.there() == {}
    assert [problem[:2] for problem in kind.problems({"path": "exchange"})] == [("path", "folder")]
    assert kind.leads_to({"path": "/srv"}) == frozenset()


@pytest.mark.parametrize(
    ("name", "second"), [("a.pdf", "a (2).pdf"), ("a", "a (2)"), (".env", ".env (2)"), ("a.tar.gz", "a.tar (2).gz")]
)
def test_numbers_stand_before_the_ending(name: str, second: str) -> None:
    assert (numbered(name, 1), numbered(name, 2)) == (name, second)
