"""While a secret is being changed it is told by which of both senders come in, and no delivery waits for that."""

from __future__ import annotations

import base64
import hmac
import time
from collections.abc import Iterator
from typing import Any

import pytest

from runtime import ports
from runtime.intake.examining import prove
from runtime.intake.signatures import PRESETS, check
from runtime.intake.triggers import load
from runtime.store.writer import Writer
from tests.runtime.door import knock
from tests.runtime.rows import a_webhook
from tests.runtime.test_intake_door import SECRET, SmallVault, signed


class NotingVault(SmallVault):
    def __init__(self, *values: str) -> None:
        super().__init__(*values)
        self.noted: list[dict[str, Any]] = []

    def note_secrets(self, **note: Any) -> None:
        self.noted.append(note)


@pytest.fixture
def vault() -> Iterator[NotingVault]:
    before = ports.PORTS.vault
    vault = NotingVault(SECRET, "the older one")
    ports.configure(vault=vault)
    yield vault
    ports.configure(vault=before)


@pytest.mark.usefixtures("both_ways")
@pytest.mark.parametrize(("secret", "which"), [(SECRET, "current"), ("the older one", "previous")])
def test_by_which_of_two_secrets_somebody_came_in_is_handed_over(
    writer: Writer, vault: NotingVault, secret: str, which: str
) -> None:
    a_webhook(auth="hmac", hmac_preset="github", secret_connection=str(vault.id))
    assert knock(writer, body=b"{}", headers=signed(b"{}", secret)).status == 202
    (noted,) = vault.noted
    assert noted["connection_id"] == vault.id
    assert {name for name in ("current", "previous") if noted[name]} == {which}


@pytest.mark.usefixtures("both_ways")
def test_of_strangers_and_of_a_single_secret_nothing_is_handed_over(writer: Writer, vault: NotingVault) -> None:
    a_webhook(auth="hmac", hmac_preset="github", secret_connection=str(vault.id))
    assert knock(writer, body=b"{}", headers=signed(b"{}", "a stranger's")).status == 404
    del vault.fields["previous_secret"]
    assert knock(writer, body=b"{}", headers=signed(b"{}")).status == 202
    assert vault.noted == []


@pytest.mark.usefixtures("both_ways")
def test_a_secret_header_says_which_too(writer: Writer, vault: NotingVault) -> None:
    slug = a_webhook(auth="header", header_name="X-Token", secret_connection=str(vault.id)).slug
    door = load(str(slug))
    assert door is not None
    for place, value in enumerate((SECRET, "the older one")):
        proof = prove(door, {b"x-token": [value.encode()]}, b"{}")
        assert (proof.stranger, proof.which) == ("", place)


class TestAPureLook:
    NOW = time.time()

    def standard(self, *secrets: bytes) -> dict[bytes, list[bytes]]:
        stamp = str(int(self.NOW)).encode()
        made = [
            b"v1," + base64.b64encode(hmac.digest(base64.b64decode(one), b"m." + stamp + b".{}", "sha256"))
            for one in secrets
        ]
        return {b"webhook-id": [b"m"], b"webhook-timestamp": [stamp], b"webhook-signature": [b" ".join(made)]}

    def look(self, headers: dict[bytes, list[bytes]], *secrets: bytes) -> tuple[bool, int]:
        found = check(PRESETS["standard"], headers, b"{}", secrets, self.NOW)
        return found.valid, found.which

    def test_a_sender_that_signs_with_both_needs_the_older_one_no_more(self) -> None:
        new, old = base64.b64encode(b"new secret"), base64.b64encode(b"old secret")
        assert self.look(self.standard(old, new), new, old) == (True, 0)
        assert self.look(self.standard(old), new, old) == (True, 1)

    def test_a_secret_that_cannot_be_read_lets_nobody_in_and_takes_nobodys_place(self) -> None:
        old = base64.b64encode(b"old secret")
        assert self.look(self.standard(old), b"not base64!", old) == (True, 1)
        assert self.look(self.standard(b""), b"not base64!", old) == (False, 0)
