"""Dead letters that are sent to somebody's inbox: who is told, once; two at the same moment; what goes with runs."""

from __future__ import annotations

from uuid import UUID

import pytest
from django.db import transaction
from pytest_django import Settings

from runtime import api
from runtime.contracts import AlreadyDecided, NotAsked, TaskRefused
from runtime.contracts.sendings import SendingView
from runtime.ports import PORTS, Post
from runtime.store import retention_runs, sendings
from runtime.store.dialect import database_now, queue_up
from runtime.store.models import DeadLetter, HumanMail, LetterSending, Run, SentLetter
from runtime.worker import mail_words
from runtime.worker.sendings import Sendings
from tests.meanwhile import while_open
from tests.runtime.fixtures import World
from tests.runtime.machine import WORKSPACE, Machine, wait_until
from tests.runtime.test_muted_letters import failing
from tests.runtime.test_retention_lived import rules, sweep
from tests.runtime.test_stand_in_digests import Names
from tests.runtime.town import Town, town

INES, OMAR, ADA = "ines@example.com", "omar@example.com", "ada@example.com"


@pytest.fixture
def folk(monkeypatch: pytest.MonkeyPatch) -> Town:
    made = town()
    monkeypatch.setattr(PORTS, "people", made)
    monkeypatch.setattr(PORTS, "names", Names())
    monkeypatch.setattr(Sendings, "period_seconds", 0.0)
    return made


@pytest.fixture
def posted(world: World, folk: Town, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> World:
    """The installation sends mail through the practice company's server."""
    settings.PUBLIC_URL = "https://millrace.example.com"
    monkeypatch.setattr(PORTS, "post", Post("practice-company", 25, "none", "Millrace <no-reply@example.com>"))
    return world


def fail(machine: Machine, count: int = 2) -> str:
    """So many runs of one workflow fail; their cause."""
    workflow = failing(machine, "The period is closed.")
    for _ in range(count):
        machine.finish(machine.begin_again(workflow, {}))
    return DeadLetter.objects.filter(workflow_id=workflow).values_list("cause", flat=True)[0]


def send(folk: Town, cause: str, to: str = INES, by: str = "ada", note: str = "") -> SendingView:
    return api.send_letters(workspace_id=WORKSPACE, to=to, voter=folk.as_(by), note=note, cause=cause)


def placed(folk: Town, cause: str, to: str) -> UUID:
    """Sent by Omar, in whose transaction this is."""
    queue_up(WORKSPACE)
    rows = list(DeadLetter.objects.filter(cause=cause).order_by("-run_id"))
    made = LetterSending(workspace_id=WORKSPACE, to=to, total=len(rows), at=database_now(), by=folk.ids["omar"])
    sendings.place(made, [row.run_id for row in rows], made.at)
    return made.pk


def mails(sending: SendingView) -> list[tuple[str, str]]:
    rows = HumanMail.objects.filter(sending_id=sending.id).order_by("email")
    return list(rows.values_list("email", "status"))


def over(sending: SendingView) -> str:
    return LetterSending.objects.get(pk=sending.id).ended_as


def had(folk: Town, name: str) -> list[SendingView]:
    return api.sendings(workspace_id=WORKSPACE, voter=folk.as_(name))


def test_the_receiver_gets_one_mail_in_their_language_that_leads_to_them(
    machine: Machine, posted: World, folk: Town
) -> None:
    folk.languages["ines"] = "de"
    cause = fail(machine)
    made = send(folk, cause, note="Period is closed: ask Finance.")
    wait_until(lambda: mails(made) == [(INES, "sent")])
    row = HumanMail.objects.get(sending_id=made.id)
    wanted = f"<letters-{row.pk.hex}@example.com>"
    (mail,) = [one for one in posted.ask("GET", "/mails")["items"] if one["message_id"] == wanted]
    assert mail["subject"].startswith("2 gescheiterte Läufe für Sie: Invoices: ")
    for words in (
        "Ada hat Ihnen 2 gescheiterte Läufe geschickt.", "Workflow: Invoices", "Notiz: Period is closed: ask Finance.",
        f"https://millrace.example.com/dead-letters?sent={made.id}",
    ):  # fmt: skip
        assert words in mail["text"]
    assert row.token_sha256 is None, "no link that stands for a decision"
    assert send(folk, cause).id == made.id
    assert HumanMail.objects.count() == 1, "the same to the same is told once"


def test_a_group_and_whoever_stands_in_are_told_and_who_sends_is_not(
    machine: Machine, posted: World, folk: Town
) -> None:
    cause = fail(machine)
    made = send(folk, cause, f"group:{folk.group_ids['Finance']}", by="omar")
    assert [email for email, _ in mails(made)] == [INES]
    folk.away["ines"] = "omar"
    again = send(folk, cause, INES)
    assert [email for email, _ in mails(again)] == [INES, OMAR]
    stand_in = HumanMail.objects.get(sending_id=again.id, email=OMAR)
    assert stand_in.for_name == "Ines"
    wait_until(lambda: {status for _, status in mails(again)} == {"sent"})


def test_nobody_is_written_to_about_what_is_over(machine: Machine, posted: World, folk: Town) -> None:
    cause = fail(machine)
    machine.stop()
    made = send(folk, cause)
    api.end_sending(workspace_id=WORKSPACE, sending_id=made.id, voter=folk.as_("ada"), how="taken_back")
    machine.start()
    wait_until(lambda: mails(made) == [(INES, "dropped")])


def test_the_words_of_the_mail_are_those_of_one_run_too() -> None:
    one = mail_words.Sent(1, "Refused", "", "Ada", "")
    assert mail_words.sent_subject(one, "en") == "A failed run for you: Refused"
    assert mail_words.sent_subject(one._replace(title=""), "de") == "Ein gescheiterter Lauf für Sie"
    text = mail_words.sent_body(one, link="https://x.example/1", in_place_of=("Ines", ""), language="en")
    assert text.startswith("You stand in for Ines, who is away.\n\nAda sent you a failed run.\n")


def test_of_two_who_send_the_same_to_the_same_at_once_there_is_one_sending(machine: Machine, folk: Town) -> None:
    cause = fail(machine)
    first: list[UUID] = []
    came = while_open(lambda: first.append(placed(folk, cause, INES)), lambda: send(folk, cause))
    assert [came.id] == first
    assert LetterSending.objects.count() == 1


def test_of_two_who_send_the_same_to_others_at_once_the_later_has_it_sent_and_the_first_is_told(
    machine: Machine, folk: Town
) -> None:
    cause = fail(machine)
    came = while_open(lambda: placed(folk, cause, OMAR), lambda: send(folk, cause))
    assert (came.to, came.open) == (INES, 2)
    (other,) = api.sendings(workspace_id=WORKSPACE, voter=folk.as_("omar"), closed=True)
    assert (other.ended_as, other.ended_by) == ("handed_on", folk.ids["ada"])
    assert had(folk, "omar") == []


def test_of_two_who_end_it_at_once_the_second_is_told_that_it_is_over(machine: Machine, folk: Town) -> None:
    made = send(folk, fail(machine))

    def done() -> None:
        queue_up(WORKSPACE)
        sendings.end(made.id, "done", folk.ids["ines"], database_now())

    def take_back() -> SendingView:
        return api.end_sending(workspace_id=WORKSPACE, sending_id=made.id, voter=folk.as_("ada"), how="taken_back")

    with pytest.raises(AlreadyDecided):
        while_open(done, take_back)
    assert over(made) == "done"


def test_what_fails_again_is_with_whoever_had_it_and_what_is_settled_is_in_no_inbox(
    machine: Machine, folk: Town
) -> None:
    made = send(folk, fail(machine, 1))
    run_id = SentLetter.objects.get().run_id
    api.retry_each(workspace_id=WORKSPACE, run_ids=[run_id])
    machine.until(run_id, lambda view: view.status == "dead_lettered" and view.generation == 2)
    assert [one.open for one in had(folk, "ines")] == [1]
    api.solve_dead_letters(workspace_id=WORKSPACE, run_ids=[run_id], solution="elsewhere", reason="By hand.")
    assert had(folk, "ines") == []
    wait_until(lambda: over(made) == "settled")


def test_who_has_them_and_who_sent_them_may_say_something_and_nobody_else(machine: Machine, folk: Town) -> None:
    made = send(folk, fail(machine), by="omar")
    with pytest.raises(NotAsked):
        api.end_sending(workspace_id=WORKSPACE, sending_id=made.id, voter=folk.as_("omar"), how="done")
    with pytest.raises(NotAsked):
        api.end_sending(workspace_id=WORKSPACE, sending_id=made.id, voter=folk.as_("ines"), how="taken_back")
    with pytest.raises(NotAsked):
        api.pass_letters_on(workspace_id=WORKSPACE, sending_id=made.id, to=ADA, voter=folk.as_("vic"))
    with pytest.raises(TaskRefused):
        api.pass_letters_on(workspace_id=WORKSPACE, sending_id=made.id, to="nobody@example.com", voter=folk.as_("ines"))
    assert over(made) == ""


def test_a_run_that_is_removed_is_with_nobody(machine: Machine, folk: Town) -> None:
    made = send(folk, fail(machine))
    gone, stays = sorted(SentLetter.objects.values_list("run_id", flat=True))
    with transaction.atomic():
        retention_runs.remove([gone])
    assert list(SentLetter.objects.values_list("run_id", flat=True)) == [stays]
    (row,) = had(folk, "ines")
    assert (row.id, row.total, row.open) == (made.id, 2, 1)


def test_a_run_that_somebody_is_removing_is_sent_to_nobody_any_more(machine: Machine, folk: Town) -> None:
    cause = fail(machine, 1)
    (run_id,) = Run.objects.values_list("pk", flat=True)
    with pytest.raises(AlreadyDecided):
        while_open(lambda: retention_runs.remove([run_id]), lambda: send(folk, cause))
    assert not SentLetter.objects.exists()
    assert not LetterSending.objects.exists()


def test_what_was_sent_is_forgotten_when_such_runs_are(machine: Machine, folk: Town) -> None:
    made = send(folk, fail(machine))
    api.end_sending(workspace_id=WORKSPACE, sending_id=made.id, voter=folk.as_("ines"), how="done")
    rules(failed=30)
    sweep()
    assert LetterSending.objects.exists(), "it is young"
    LetterSending.objects.update(ended_at=1)
    rules(done=30)
    sweep()
    assert LetterSending.objects.exists(), "such runs are kept for ever"
    rules(failed=31)
    sweep()
    assert not LetterSending.objects.exists()
    assert DeadLetter.objects.count() == 2, "what waits for a decision stays"
