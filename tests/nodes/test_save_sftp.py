from __future__ import annotations

import hashlib
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paramiko
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from runtime.catalog import CATALOG
from runtime.sdk import EffectClass, PermanentError, Result, RetryableError
from runtime.sdk.connections import KINDS
from runtime.sdk.context import HostKeyUnknown
from runtime.sdk.probes import DidNotHappen, Happened, Verdict, working_out
from runtime.sdk.testing import KnownConnection, StepTestContext, run_step
from runtime.worker.egress import Egress
from tests.services import MissingService, skip_or_fail
from tests.services.rclone_server import PASSWORD, USER, FileServer, sftp_server

FOUND = CATALOG.get("files.save_sftp@1")
assert FOUND is not None
NODE = FOUND
HOST = "files.example.com"
DATA = bytes(range(256)) * 4000


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A key of the server and one of a person."""
    folder = tmp_path_factory.mktemp("keys")
    found = {}
    locks = {"person": serialization.BestAvailableEncryption(b"a phrase")}
    for name in ("server", "person", "stranger"):
        key = ed25519.Ed25519PrivateKey.generate()
        path = folder / name
        lock = locks.get(name, serialization.NoEncryption())
        path.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, lock))
        public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
        path.with_suffix(".pub").write_bytes(public + b"\n")
        found[name] = path
    return found


@pytest.fixture(scope="module")
def server(keys: dict[str, Path]) -> Iterator[FileServer]:
    try:
        with sftp_server("--key", str(keys["server"]), "--authorized-keys", str(keys["person"]) + ".pub") as found:
            yield found
    except MissingService as missing:
        skip_or_fail(str(missing))


@pytest.fixture
def place(server: FileServer, keys: dict[str, Path], request: pytest.FixtureRequest) -> Place:
    folder = server.root / f"t{abs(hash(request.node.name))}"
    folder.mkdir()
    line = keys["server"].with_suffix(".pub").read_text().split()
    key = paramiko.PKey.from_type_string(line[0], b64decode(line[1]))
    return Place(server, folder, f"{line[0]} {key.fingerprint}")


class Place:
    """A folder of the server, and steps that save into it."""

    def __init__(self, server: FileServer, folder: Path, host_key: str) -> None:
        self.folder, self.host_key, self.server = folder, host_key, server
        self.doors = Egress.make(named_sftp={HOST: ("127.0.0.1", server.port)})

    def fields(self, **changes: Any) -> dict[str, Any]:
        return {
            "host": HOST, "username": USER, "password": PASSWORD, "folder": f"/{self.folder.name}",
            "host_key": self.host_key, **changes,
        }  # fmt: skip

    def context(self, key: str = "KEY1", **changes: Any) -> StepTestContext:
        connection = KnownConnection("sftp", self.fields(**changes))
        return StepTestContext(doors=self.doors, connections={"c": connection}, idempotency_key=key)

    async def save(self, data: bytes = DATA, context: StepTestContext | None = None, **config: Any) -> Any:
        context = context or self.context()
        file = await context.files.save("a.pdf", "application/pdf", [data])
        given = {"connection": "c", "file": "{{ trigger.file }}", **config}
        outcome = await run_step(NODE, given, data={"trigger": {"file": file.as_json()}}, context=context)
        assert isinstance(outcome, Result)
        return outcome.output

    async def look(self, data: bytes = DATA, context: StepTestContext | None = None, **config: Any) -> Verdict:
        assert NODE.probe is not None
        context = context or self.context()
        file = await context.files.save("a.pdf", "application/pdf", [data])
        given = {"connection": "c", "file": "{{ trigger.file }}", **config}
        resolved = NODE.prepare(given).resolve({"trigger": {"file": file.as_json()}})
        return await NODE.probe.look(resolved, None, context, working_out({}, context.idempotency_key))

    def there(self) -> list[str]:
        return sorted(str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file())


async def test_a_file_arrives_whole_in_folders_that_are_made(place: Place) -> None:
    output = await place.save(folder="in/{{ 2026 }}", name="Rechnung ü.pdf")
    assert output == {
        "path": "in/2026/Rechnung ü.pdf", "name": "Rechnung ü.pdf", "size": len(DATA),
        "sha256": hashlib.sha256(DATA).hexdigest(),
    }  # fmt: skip
    assert place.there() == ["in/2026/Rechnung ü.pdf"]
    assert (place.folder / "in/2026/Rechnung ü.pdf").read_bytes() == DATA


async def test_what_is_there_already_decides(place: Place) -> None:
    await place.save(b"one")
    with pytest.raises(PermanentError, match=r"has a file “a\.pdf” already") as refused:
        await place.save(b"two")
    assert (refused.value.code, refused.value.maybe_applied) == ("file_exists", False)
    assert (await place.save(b"two", exists="number"))["path"] == "a (2).pdf"
    assert (await place.save(b"three", exists="number"))["path"] == "a (3).pdf"
    assert (await place.save(b"four", exists="overwrite"))["path"] == "a.pdf"
    assert place.there() == ["a (2).pdf", "a (3).pdf", "a.pdf"]
    assert (place.folder / "a.pdf").read_bytes() == b"four"


async def test_after_an_interruption_the_bytes_tell_whether_it_happened(place: Place) -> None:
    context = place.context()
    assert isinstance(await place.look(context=context), DidNotHappen)
    await place.save(context=context)
    found = await place.look(context=context)
    assert isinstance(found, Happened)
    assert found.result.output["path"] == "a.pdf"  # type: ignore[index,call-overload]
    # Of the same size, and others.
    assert isinstance(await place.look(b"\1" + DATA[1:]), DidNotHappen)
    assert isinstance(await place.look(b"short"), DidNotHappen)
    await place.save(b"second", exists="number")
    second = await place.look(b"second", exists="number")
    assert isinstance(second, Happened)
    assert second.result.output["path"] == "a (2).pdf"  # type: ignore[index,call-overload]
    assert isinstance(await place.look(b"third", exists="number"), DidNotHappen)


def test_only_what_overwrites_may_be_sent_again_unasked() -> None:
    effects = {exists: NODE.effect_of({"exists": exists}) for exists in ("fail", "overwrite", "number")}
    assert effects == {
        "fail": EffectClass.QUERYABLE, "overwrite": EffectClass.NATURAL, "number": EffectClass.QUERYABLE,
    }  # fmt: skip


BAD_FOLDERS = ["..", "a/../..", "/etc", "a//b", "./a", "a\\..\\b", "a/\x00", "a\nb", "C:", "~/..", "a/ .. /b", "..."]


@pytest.mark.parametrize("folder", BAD_FOLDERS)
async def test_no_path_leads_out_of_the_folder(place: Place, folder: str) -> None:
    """S86: also where somebody else's data makes the path."""
    with pytest.raises(PermanentError) as refused:
        await place.save(folder=folder)
    assert refused.value.code == "path"
    assert place.there() == []


@pytest.mark.parametrize("name", ["../a.pdf", "..", "a/b.pdf", "a\\b.pdf", "/a"])
async def test_no_name_is_a_path(place: Place, name: str) -> None:
    with pytest.raises(PermanentError) as refused:
        await place.save(name=name)
    assert refused.value.code == "path"
    assert NODE.problems({"connection": "c", "file": "{{ trigger.f }}", "name": name})[0][:2] == ("name", "path")


async def test_a_server_is_confirmed_before_a_password_is_sent(place: Place) -> None:
    with pytest.raises(HostKeyUnknown) as unknown:
        await place.save(context=place.context(host_key="", password="not even the right one"))
    assert unknown.value.host_key == place.host_key
    assert place.host_key in unknown.value.message
    assert "Compare it" in unknown.value.message
    other = place.host_key[:-4] + "AAAA"
    with pytest.raises(PermanentError, match="Somebody may be in between") as changed:
        await place.save(context=place.context(host_key=other))
    assert changed.value.code == "host_key_changed"
    with pytest.raises(PermanentError) as kind:
        await place.save(context=place.context(host_key=place.host_key.replace("ssh-ed25519", "ssh-rsa")))
    assert kind.value.code == "host_key_changed"


async def test_one_signs_in_with_a_password_or_a_key(place: Place, keys: dict[str, Path]) -> None:
    private = keys["person"].read_text()
    with_key = {"password": "", "private_key": private, "passphrase": "a phrase"}
    await place.save(context=place.context(**with_key))
    assert place.there() == ["a.pdf"]
    for changes, code in (
        ({"password": "wrong"}, "sftp_auth"),
        ({"private_key": keys["stranger"].read_text()}, "sftp_auth"),
        ({**with_key, "passphrase": ""}, "sftp_key"),
        ({**with_key, "passphrase": "wrong"}, "sftp_key"),
        ({"private_key": "no key"}, "sftp_key"),
    ):
        with pytest.raises(PermanentError) as refused:
            await place.save(context=place.context(**changes))
        assert refused.value.code == code, changes


async def test_the_connection_test_shows_the_key_and_then_signs_in(place: Place) -> None:
    kind = KINDS["sftp"]
    with pytest.raises(HostKeyUnknown):
        await kind.test(place.fields(host_key=""), place.doors)
    assert "accepted the sign-in" in await kind.test(place.fields(), place.doors)
    with pytest.raises(PermanentError, match="has no such folder"):
        await kind.test(place.fields(folder="/nowhere"), place.doors)
    assert place.there() == []


@pytest.mark.parametrize("host", ["127.0.0.1", "169.254.169.254", "10.0.0.8", "localhost", "[::1]"])
async def test_sftp_goes_through_the_same_guard(place: Place, host: str) -> None:
    with pytest.raises((PermanentError, RetryableError)) as refused:
        await place.save(context=place.context(host=host, port=place.server.port))
    assert refused.value.code in ("address_refused", "address", "dns")


async def test_a_server_that_is_away_is_tried_again(place: Place) -> None:
    doors = Egress.make(named_sftp={HOST: ("127.0.0.1", 9)})
    context = place.context()
    context.doors = doors
    place.doors = doors
    with pytest.raises(RetryableError) as away:
        await place.save(context=context)
    assert (away.value.code, away.value.maybe_applied) == ("sftp_connection", False)


def test_a_connection_needs_a_way_to_sign_in_and_leads_to_one_server() -> None:
    kind = KINDS["sftp"]
    fields = {"host": "A.example.com", "username": "ann"}
    assert [problem[:2] for problem in kind.problems(fields)] == [("password", "required")]
    assert kind.problems({**fields, "private_key": "x"}) == []
    assert kind.problems({**fields, "password": "x", "host_key": "nonsense"})[0][0] == "host_key"
    assert kind.leads_to({**fields, "password": "x"}) == {"sftp://a.example.com:22"}
    assert kind.secrets({**fields, "password": "p", "private_key": "k", "passphrase": "s"}) == ("p", "k", "s")
