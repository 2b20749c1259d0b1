"""What leaves the house: intent first, one key for ever, nothing repeated blindly."""

from __future__ import annotations

import re
from uuid import UUID

import pytest

from runtime.interpreter.keys import effect_key
from runtime.interpreter.redaction import MASK, Redactor
from runtime.ports import PORTS, ConnectionMissing
from runtime.store.models import Attempt, Run, StepRun
from tests.runtime.fixtures import World
from tests.runtime.machine import (
    RETRY_SOON,
    Machine,
    detail,
    fields,
    flow,
    get,
    post,
    step,
    unsafe_post,
    wait_until,
)

INVOICE = {"order": "{{ run.id }}", "customer": "C-200", "amount": 10, "currency": "EUR"}


def attempts(run_id: UUID, node_id: str = "pay") -> list[Attempt]:
    return list(Attempt.objects.filter(run_id=run_id, node_id=node_id).order_by("attempt"))


def test_the_intent_is_committed_before_the_call_leaves(machine: Machine, world: World) -> None:
    run_id = machine.begin(flow("start -> pay", post("pay", f"{world.url}/with/slow=3000/invoices", INVOICE)))
    wait_until(lambda: bool(attempts(run_id)))
    (intent,) = attempts(run_id)
    assert intent.status == "intent"
    assert intent.effect_key
    assert intent.request_digest
    row = StepRun.objects.get(run_id=run_id, node_id="pay")
    assert (row.status, row.attempt) == ("running", 1)
    assert row.input is not None
    assert machine.finish(run_id).status == "completed"
    (done,) = attempts(run_id)
    assert (done.status, done.effect_key) == ("succeeded", intent.effect_key)


def test_every_try_carries_the_same_key_and_the_same_bytes(machine: Machine, world: World) -> None:
    url = f"{world.url}/with/fail=503*2/invoices"
    run = machine.run(flow("start -> pay", post("pay", url, {**INVOICE, "memo": "{{ now() }}"}, retry=RETRY_SOON)))
    assert run.status == "completed", run.error
    found = attempts(run.id)
    assert [attempt.status for attempt in found] == ["failed", "failed", "succeeded"]
    assert len({attempt.effect_key for attempt in found}) == 1
    assert len({attempt.request_digest for attempt in found}) == 1
    assert found[0].effect_key is not None
    calls = world.calls(found[0].effect_key)
    assert len(calls) == 3
    assert len({call["body_sha256"] for call in calls}) == 1


def test_a_keyed_effect_cut_off_by_a_crash_is_sent_again_with_its_key_and_costs_no_try(
    idle_machine: Machine, world: World
) -> None:
    idle_machine.start()
    run_id = idle_machine.begin(
        flow("start -> a -> pay -> b", post("pay", f"{world.url}/with/slow=6000*1/invoices", INVOICE))
    )
    # The call has arrived, and its answer is still on the way.
    wait_until(lambda: any(world.calls(attempt.effect_key or "") for attempt in attempts(run_id)))
    idle_machine.crash()
    idle_machine.start()
    assert idle_machine.finish(run_id).status == "completed"
    (attempt,) = attempts(run_id)
    assert (attempt.attempt, attempt.status) == (1, "succeeded")
    assert attempt.effect_key is not None
    calls = world.calls(attempt.effect_key)
    assert len(calls) == 2
    assert [call["applied"] for call in calls] == [True, False]
    assert len(world.invoices(str(run_id))) == 1
    assert "retry_same_key" in (attempt.request or ""), "the decision is on record"
    assert detail(run_id, "a").step.attempt == 1


def test_an_unsafe_effect_cut_off_by_a_crash_is_in_doubt_and_never_repeated(
    idle_machine: Machine, world: World
) -> None:
    idle_machine.start()
    run_id = idle_machine.begin(
        flow("start -> pay -> b", unsafe_post("pay", f"{world.url}/with/slow=6000/invoices", INVOICE, retry=RETRY_SOON))
    )
    wait_until(lambda: bool(attempts(run_id)))
    idle_machine.crash()
    idle_machine.start()
    run = idle_machine.finish(run_id)
    assert run.status == "dead_lettered"
    assert run.error is not None
    assert run.error["code"] == "in_doubt"
    assert "twice" in run.error["message"]
    (attempt,) = attempts(run_id)
    assert attempt.status == "in_doubt"
    assert len(world.invoices(str(run_id))) <= 1
    assert not StepRun.objects.filter(run_id=run_id, node_id="b").exists()


def test_a_lost_answer_of_an_unsafe_effect_is_in_doubt_and_never_repeated(machine: Machine, world: World) -> None:
    run = machine.run(
        flow("start -> pay", unsafe_post("pay", f"{world.url}/with/drop/invoices", INVOICE, retry=RETRY_SOON))
    )
    assert run.status == "dead_lettered"
    assert run.error is not None
    assert run.error["code"] == "in_doubt"
    assert [attempt.status for attempt in attempts(run.id)] == ["in_doubt"]
    assert len(world.invoices(str(run.id))) == 1


def test_a_lost_answer_of_a_keyed_effect_is_asked_for_again(machine: Machine, world: World) -> None:
    run = machine.run(flow("start -> pay", post("pay", f"{world.url}/with/drop*1/invoices", INVOICE, retry=RETRY_SOON)))
    assert run.status == "completed", run.error
    assert [attempt.status for attempt in attempts(run.id)] == ["failed", "succeeded"]
    assert len(world.invoices(str(run.id))) == 1


def test_an_attempt_that_takes_too_long_is_given_up_and_tried_again(machine: Machine, world: World) -> None:
    pay = post("pay", f"{world.url}/with/slow=3000*1/invoices", INVOICE, retry=RETRY_SOON, timeout_seconds=1)
    run = machine.run(flow("start -> pay", pay))
    assert run.status == "completed", run.error
    first, *_, last = attempts(run.id)  # a busy machine may be late with the second one too
    assert first.error is not None
    assert "timeout" in first.error
    assert last.status == "succeeded"


def test_what_the_other_side_asks_for_is_honoured(machine: Machine, world: World) -> None:
    run = machine.run(
        flow("start -> pay", post("pay", f"{world.url}/with/limit=1*1/invoices", INVOICE, retry=RETRY_SOON))
    )
    assert run.status == "completed", run.error
    first, second = attempts(run.id)
    assert first.finished_at is not None
    assert second.started_at - first.finished_at >= 1000


def test_a_definite_refusal_is_not_tried_again(machine: Machine, world: World) -> None:
    run = machine.run(
        flow("start -> pay", post("pay", f"{world.url}/invoices", {**INVOICE, "amount": -1}, retry=RETRY_SOON))
    )
    assert run.status == "dead_lettered"
    assert [attempt.status for attempt in attempts(run.id)] == ["failed"]


def test_retries_end_after_the_last_allowed_try(machine: Machine, world: World) -> None:
    run = machine.run(flow("start -> a", get("a", f"{world.url}/with/fail=503/customers", retry=RETRY_SOON)))
    assert run.status == "dead_lettered"
    assert [attempt.attempt for attempt in attempts(run.id, "a")] == [1, 2, 3]
    assert run.error is not None
    assert run.error["http_status"] == 503


def test_a_retry_survives_the_process(idle_machine: Machine, world: World) -> None:
    idle_machine.start()
    policy = {"attempts": 2, "strategy": "fixed", "first_seconds": 1.5, "jitter": 0}
    run_id = idle_machine.begin(
        flow("start -> a", post("a", f"{world.url}/with/fail=503*1/invoices", INVOICE, retry=policy))
    )
    run = idle_machine.until(run_id, lambda found: found.status == "waiting_timer")
    assert run.waiting is not None
    assert run.waiting["kind"] == "retry"
    idle_machine.crash()
    idle_machine.start()
    run = idle_machine.finish(run_id)
    first, second = attempts(run_id, "a")
    assert first.finished_at is not None
    assert second.started_at - first.finished_at >= 1500, "a retry must not come early"


def test_a_key_is_the_same_for_ever_and_different_for_everything_else() -> None:
    run = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
    key = effect_key(b"secret", run, "pay", 1, 0)
    assert key == effect_key(b"secret", run, "pay", 1, 0)
    assert re.fullmatch("[A-Z2-7]{32}", key)
    others = {
        effect_key(b"other", run, "pay", 1, 0),
        effect_key(b"secret", run, "pay2", 1, 0),
        effect_key(b"secret", run, "pay", 2, 0),
        effect_key(b"secret", run, "pay", 1, 1),
    }
    assert len(others | {key}) == 5


@pytest.mark.parametrize("shape", ["{}", "x={}&y", "Bearer {}", '"{}"', "{}{}"])
def test_a_secret_is_masked_in_every_form_it_travels_in(shape: str) -> None:
    import base64
    from urllib.parse import quote

    secret = "s3cr3t/tok+en=äö"
    redact = Redactor([secret])
    forms = [
        secret,
        secret.upper(),
        quote(secret, safe=""),
        secret.encode().hex(),
        *(base64.b64encode(b"u" * n + secret.encode() + b"zz").decode() for n in range(3)),
        base64.urlsafe_b64encode(b"user:" + secret.encode()).decode(),
    ]
    for form in forms:
        text = redact.text(shape.format(form, form))
        assert MASK in text
        assert form[4:-4].lower() not in text.lower()
    assert redact.value({"a": [secret, 1], secret: None}) == {"a": [MASK, 1], MASK: None}


def test_nothing_written_down_holds_a_connection_s_secret(
    machine: Machine, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "canary-7f3a9c51"

    class Opened:
        kind = "http_header"
        fields = {"header": "X-Practice-Echo", "name": "X-Practice-Echo", "value": secret, "host": "practice-company"}
        secrets = (secret,)

    class Vault:
        def open(self, **_: object) -> Opened:
            return Opened()

    monkeypatch.setattr(PORTS, "vault", Vault())
    call = get("a", f"{world.url}/customers/{secret}")
    call["config"]["connection"] = "01890a5d-ac96-774b-bcce-b302099a8057"
    run = machine.run(flow("start -> a", call))
    assert run.status in ("completed", "dead_lettered")
    for row in StepRun.objects.filter(run_id=run.id):
        assert secret not in f"{row.output}{row.error}{row.note}"
    for attempt in attempts(run.id, "a"):
        assert secret not in f"{attempt.request}{attempt.response}{attempt.error}"
    assert secret not in (Run.objects.get(pk=run.id).error or "")


def test_a_missing_connection_fails_in_plain_words(
    machine: Machine, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Vault:
        def open(self, **_: object) -> object:
            raise ConnectionMissing("gone")

    monkeypatch.setattr(PORTS, "vault", Vault())
    call = get("a", f"{world.url}/customers")
    call["config"]["connection"] = "01890a5d-ac96-774b-bcce-b302099a8057"
    run = machine.run(flow("start -> a", call))
    assert run.error is not None
    assert run.error["code"] == "connection_missing"


def test_a_fail_step_ends_the_run_with_its_own_words(machine: Machine) -> None:
    run = machine.run(flow("start -> a -> b", fields("a", x=1), step("b", "flow.fail@1", {"message": "No stock left"})))
    assert run.status == "dead_lettered"
    assert run.error is not None
    assert "No stock left" in run.error["message"]
