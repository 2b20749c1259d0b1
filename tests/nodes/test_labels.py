"""What the builder calls the answers is shown as it is; the ways out are called as ever."""

from __future__ import annotations

from typing import Any

import pytest

from runtime.catalog import CATALOG
from runtime.interpreter.people import called
from runtime.worker.mail_words import body
from tests.nodes.test_approval import asked

OWN = {"approve_label": " Release  the payment ", "reject_label": "Send it back"}


async def spec_of(**config: str) -> Any:
    task = (await asked(config)).task
    assert task is not None
    return task.document()


async def test_own_names_are_kept_beside_the_answers_they_are_of() -> None:
    spec = await spec_of(**OWN)
    assert spec["choices"] == [
        {"id": "approved", "label": "Release the payment", "comment": False, "own": True},
        {"id": "rejected", "label": "Send it back", "comment": True, "own": True},
    ]
    assert [called(spec, one) for one in ("approved", "rejected", "late", None)] == [
        "Release the payment", "Send it back", None, None,
    ]  # fmt: skip


async def test_without_a_name_of_its_own_an_answer_is_kept_as_before() -> None:
    spec = await spec_of(reject_label="Send it back", approve_label=" ")
    assert spec["choices"][0] == {"id": "approved", "label": "Approve", "comment": False}
    assert (called(spec, "approved"), called(spec, "rejected")) == (None, "Send it back")
    # A name that happens to be the usual one is the builder's, too: nobody translates it.
    assert (await spec_of(approve_label="Approve"))["choices"][0]["own"] is True


@pytest.mark.parametrize(
    ("config", "found"),
    [
        ({}, []),
        (OWN, []),
        ({"approve_label": "Pay", "reject_label": " pay "}, ["reject_label"]),
        ({"approve_label": "Reject"}, ["approve_label"]),
        ({"reject_label": "approve"}, ["reject_label"]),
        # Whoever reads it in German would see two buttons of this name.
        ({"approve_label": "ablehnen"}, ["approve_label"]),
        ({"reject_label": "Genehmigen"}, ["reject_label"]),
        ({"approve_label": "Genehmigen", "reject_label": "Ablehnen"}, []),
        ({"approve_label": " ", "reject_label": " "}, []),
        ({"approve_label": " ", "reject_label": "Approve"}, ["reject_label"]),
        ({"approve_label": "Reject", "reject_label": "Approve"}, []),
        ({"approve_label": "x" * 41}, ["approve_label"]),
    ],
)
def test_two_buttons_of_one_name_are_a_problem(config: dict[str, str], found: list[str]) -> None:
    node = CATALOG.get("people.approval@1")
    assert node is not None
    assert [path for path, _, _ in node.problems({"title": "Pay?", **config})] == found


async def test_a_mail_names_the_answers_where_they_have_names_of_their_own() -> None:
    def mail(spec: Any, language: str) -> str:
        return body(
            title="Pay?", spec=spec, due_at=None, ends_at=None, link="https://x", language=language, time_zone="UTC"
        )

    assert "Answers: Release the payment · Send it back\n" in mail(await spec_of(**OWN), "en")
    half = await spec_of(reject_label="Send it back")
    assert "Antworten: Genehmigen · Send it back\n" in mail(half, "de")
    assert "Answers:" not in mail(await spec_of(), "en")
