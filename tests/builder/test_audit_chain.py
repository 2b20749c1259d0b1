"""S115: the chain. Nobody forks it, the database refuses to change it, and whoever changes it all the same is found."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from builder.audit import chain, verify
from builder.audit.chain import Actor, Entry, Origin
from builder.audit.models import AuditHead, AuditRow
from runtime.api import ask
from tests.databases import unguarded

LENGTH = 12
HERE = "0198a000-0000-7000-8000-000000000001"


def entry(number: int = 0, chain: str = HERE) -> Entry:
    """Somebody did something."""
    return Entry(
        chain=chain,
        actor=Actor("member", "0198a000-0000-7000-8000-00000000000a", "Zoë Ångström"),
        verb="workflow.held",
        origin=Origin("203.0.113.7", "Firefox 140, Linux", "r"),
        object_kind="workflow",
        object_id=f"w{number}",
        object_name="Order to “cash”",
        detail={"said": {"reason": f"Because {number} – naïve 💶"}, "before": {"held": False}},
    )


def fill(length: int = LENGTH, chain_id: str = HERE) -> None:
    """A chain of so many rows."""
    for number in range(length):
        with transaction.atomic():
            chain.append(ask, entry(number, chain_id))


@contextmanager
def tampering() -> Iterator[None]:
    """What somebody does who owns the database: without its guards."""
    with transaction.atomic(), unguarded():
        yield


def fault() -> tuple[int, str] | None:
    """What verifying finds first."""
    found = verify.verify(HERE).fault
    return None if found is None else (found.sequence, found.what)


@pytest.mark.django_db
def test_a_chain_that_nobody_touched_is_whole() -> None:
    fill()
    fill(3, "another")
    found = verify.verify(HERE)
    assert found.ok
    assert (found.rows, found.sequence) == (LENGTH, LENGTH)
    assert [row.sequence for row in AuditRow.objects.filter(chain=HERE).order_by("id")] == list(range(1, LENGTH + 1))
    assert verify.verify("empty").ok


@pytest.mark.django_db
@pytest.mark.parametrize("at", [1, 2, 6, LENGTH])
@pytest.mark.parametrize(
    "column",
    ["at", "actor_id", "actor_name", "address", "agent", "verb", "object_id", "object_name", "detail", "request_id"],
)
def test_a_changed_row_is_named(at: int, column: str) -> None:
    fill()
    value = {"at": 7, "detail": '{"said":{"reason":"another"}}'}.get(column, "another")
    with tampering():
        AuditRow.objects.filter(chain=HERE, sequence=at).update(**{column: value})
    assert fault() == (at, "changed")


@pytest.mark.django_db
@pytest.mark.parametrize("at", [1, 5, LENGTH])
def test_a_row_that_is_only_written_otherwise_is_named(at: int) -> None:
    fill()
    with tampering():
        row = AuditRow.objects.get(chain=HERE, sequence=at)
        AuditRow.objects.filter(pk=row.pk).update(detail=row.detail.replace(",", ", ", 1))
    assert fault() == (at, "changed")


@pytest.mark.django_db
@pytest.mark.parametrize("at", [1, 2, 6, LENGTH - 1])
def test_a_removed_row_is_named(at: int) -> None:
    fill()
    with tampering():
        AuditRow.objects.filter(chain=HERE, sequence=at).delete()
    assert fault() == (at, "missing")


@pytest.mark.django_db
@pytest.mark.parametrize("at", [1, 6, LENGTH - 1])
def test_a_removed_row_whose_followers_were_renumbered_is_named(at: int) -> None:
    fill()
    with tampering():
        AuditRow.objects.filter(chain=HERE, sequence=at).delete()
        for row in AuditRow.objects.filter(chain=HERE, sequence__gt=at).order_by("sequence"):
            row.sequence -= 1
            row.digest = digest(row)
            row.save()
    assert fault() == (at, "does_not_follow")


@pytest.mark.django_db
@pytest.mark.parametrize(("one", "other"), [(1, 2), (5, 9), (1, LENGTH), (LENGTH - 1, LENGTH)])
def test_exchanged_rows_are_named(one: int, other: int) -> None:
    fill()
    with tampering():
        AuditRow.objects.filter(chain=HERE, sequence=one).update(sequence=0)
        AuditRow.objects.filter(chain=HERE, sequence=other).update(sequence=one)
        AuditRow.objects.filter(chain=HERE, sequence=0).update(sequence=other)
    assert fault() == (one, "changed")


@pytest.mark.django_db
@pytest.mark.parametrize("at", [1, 4, LENGTH])
def test_an_inserted_row_is_named(at: int) -> None:
    fill()
    with tampering():
        for row in AuditRow.objects.filter(chain=HERE, sequence__gte=at).order_by("-sequence"):
            row.sequence += 1
            row.digest = digest(row)
            row.save()
        put(at, previous=before(at))
        AuditHead.objects.filter(chain=HERE).update(sequence=LENGTH + 1)
    # The one put in is made well; the one behind it follows another.
    assert fault() == (at + 1, "does_not_follow")


@pytest.mark.django_db
def test_a_row_behind_the_end_or_before_the_beginning_is_named() -> None:
    fill()
    with tampering():
        put(LENGTH + 1, previous=before(LENGTH + 1))
    assert fault() == (LENGTH + 1, "inserted")
    with tampering():
        put(0, previous=chain.NOTHING_BEFORE)
    assert fault() == (0, "inserted")


@pytest.mark.django_db
@pytest.mark.parametrize("left", [0, 1, 7, LENGTH - 1])
def test_a_cut_off_tail_is_named(left: int) -> None:
    fill()
    with tampering():
        AuditRow.objects.filter(chain=HERE, sequence__gt=left).delete()
    assert fault() == (left + 1, "cut_off")


@pytest.mark.django_db
@pytest.mark.parametrize("left", [1, 7, LENGTH - 1])
def test_a_tail_that_was_cut_off_with_its_end_is_found_by_what_was_noted(left: int) -> None:
    fill()
    noted = [(row.sequence, row.digest) for row in AuditRow.objects.filter(chain=HERE, sequence=LENGTH)]
    with tampering():
        AuditRow.objects.filter(chain=HERE, sequence__gt=left).delete()
        AuditHead.objects.filter(chain=HERE).update(sequence=left, digest=before(left + 1))
    assert verify.verify(HERE).ok
    found = verify.verify(HERE, noted=noted).fault
    assert found is not None
    assert (found.sequence, found.what) == (left + 1, "cut_off")


@pytest.mark.django_db
@pytest.mark.parametrize("at", [1, 6])
def test_a_chain_that_was_written_anew_is_found_by_what_was_noted(at: int) -> None:
    fill()
    noted = [(row.sequence, row.digest) for row in AuditRow.objects.filter(chain=HERE, sequence=9)]
    with tampering():
        AuditRow.objects.filter(chain=HERE, sequence=at).update(actor_name="Somebody else")
        for row in AuditRow.objects.filter(chain=HERE, sequence__gte=at).order_by("sequence"):
            row.previous = before(row.sequence)
            row.digest = digest(row)
            row.save()
        AuditHead.objects.filter(chain=HERE).update(digest=before(LENGTH + 1))
    assert verify.verify(HERE).ok
    found = verify.verify(HERE, noted=noted).fault
    assert found is not None
    assert (found.sequence, found.what) == (9, "other_than_noted")


@pytest.mark.django_db
def test_the_last_row_with_another_digest_is_named() -> None:
    fill()
    with tampering():
        row = AuditRow.objects.get(chain=HERE, sequence=LENGTH)
        row.actor_name = "Somebody else"
        row.digest = digest(row)
        row.save()
    assert fault() == (LENGTH, "changed")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "deed",
    [
        lambda: AuditRow.objects.filter(sequence=2).update(actor_name="x"),
        lambda: AuditRow.objects.filter(sequence=2).delete(),
        lambda: AuditRow.objects.all().delete(),
        lambda: AuditHead.objects.all().delete(),
        lambda: AuditHead.objects.update(sequence=3),
        lambda: AuditHead.objects.update(chain="another"),
    ],
)
def test_the_database_refuses_to_change_or_remove_what_is_on_record(deed: Callable[[], object]) -> None:
    fill(3)
    with pytest.raises(DatabaseError, match="only added"), transaction.atomic():
        deed()
    assert verify.verify(HERE).ok
    assert AuditRow.objects.count() == 3


@pytest.mark.django_db
def test_postgresql_refuses_to_empty_the_table_too() -> None:
    if connection.vendor != "postgresql":
        return
    fill(3)
    with pytest.raises(DatabaseError, match="only added"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("TRUNCATE audit_row")


@pytest.mark.django_db(transaction=True)
def test_writers_at_the_same_time_make_one_chain() -> None:
    each, writers = 15, 6
    failed: list[BaseException] = []

    def write(number: int) -> None:
        try:
            for _ in range(each):
                with transaction.atomic():
                    chain.append(ask, entry(number))
        except BaseException as error:
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    found = verify.verify(HERE)
    assert found.fault is None
    assert found.rows == found.sequence == each * writers


@pytest.mark.django_db(transaction=True)
def test_what_was_not_committed_leaves_no_gap() -> None:
    fill(2)
    with transaction.atomic():
        chain.append(ask, entry(3))
        transaction.set_rollback(True)
    fill(1)
    assert verify.verify(HERE).ok
    assert AuditRow.objects.count() == 3


@pytest.mark.django_db
def test_a_clock_that_is_put_back_breaks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    fill(2)
    head = chain._head
    monkeypatch.setattr(chain, "_head", lambda ask, one: (*head(ask, one)[:2], 86_400_000))
    fill(2)
    assert verify.verify(HERE).ok
    assert AuditRow.objects.order_by("sequence").last().at == 86_400_000  # type: ignore[union-attr]


@pytest.mark.django_db
def test_whatever_people_type_is_kept_and_verified() -> None:
    odd = "\0 \ud800 \u2028 \u202e 💶 \\ \" ' {{ x }} </script> " + "ä" * 2_000
    detail: Any = {"said": {"reason": odd, odd: [odd]}, "amount": 1.25, "rows": list(range(500)), "none": None}
    with transaction.atomic():
        chain.append(ask, Entry(HERE, Actor("member", "", odd), "x.y", Origin(odd, odd, ""), "k", odd, odd, detail))
    assert verify.verify(HERE).ok
    row = AuditRow.objects.get()
    assert "1.25" in row.detail
    assert len(row.object_name) == 200


def digest(row: AuditRow) -> str:
    """The right digest of this row as it stands."""
    return chain.digest_of(chain.document([getattr(row, name) for name in chain.COLUMNS]))


def before(sequence: int) -> str:
    """The digest of the row before this number."""
    row = AuditRow.objects.filter(chain=HERE, sequence=sequence - 1).first()
    return chain.NOTHING_BEFORE if row is None else row.digest


def put(sequence: int, *, previous: str) -> None:
    """Put in a row that is made as well as Millrace makes them."""
    row = AuditRow(
        chain=HERE, sequence=sequence, at=1, actor_kind="member", actor_id="x", actor_name="Mallory", address="",
        agent="", verb="workflow.held", object_kind="workflow", object_id="w", object_name="", detail="{}",
        request_id="", previous=previous,
    )  # fmt: skip
    row.digest = digest(row)
    row.save()
