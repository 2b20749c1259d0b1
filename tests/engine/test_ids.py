from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest

from runtime.engine.ids import uuid7, uuid7_ms


def test_an_id_is_a_version_7_uuid_that_carries_its_time() -> None:
    before = time.time_ns() // 1_000_000
    made = uuid7()
    assert (made.version, made.variant) == (7, "specified in RFC 4122")
    assert before - 1_000 <= uuid7_ms(made) <= time.time_ns() // 1_000_000 + 1_000


def test_ids_made_one_after_the_other_never_fall() -> None:
    made = [uuid7() for _ in range(20_000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_ids_do_not_fall_when_the_clock_is_set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    first = uuid7()
    earlier = time.time_ns() - 3_600_000_000_000
    monkeypatch.setattr("runtime.engine.ids.time.time_ns", lambda: earlier)
    assert uuid7() > first


def test_threads_never_get_the_same_id() -> None:
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda _: uuid7(), range(8_000)))
    assert len(set(made)) == len(made)


def test_an_id_of_a_given_moment_leaves_the_others_alone() -> None:
    assert uuid7_ms(uuid7(at_ms=1_700_000_000_000)) == 1_700_000_000_000
    future = uuid7(at_ms=2**47)
    assert uuid7() < future


def test_other_uuids_carry_no_time() -> None:
    with pytest.raises(ValueError, match="only version 7"):
        uuid7_ms(uuid4())
    assert isinstance(uuid7(), UUID)
