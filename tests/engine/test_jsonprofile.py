from __future__ import annotations

import json
import tracemalloc
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.engine.jsonprofile import JSON, MAX_PARTS, JSONRefused, dumps, loads, loads_stored, normalise

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
numbers = st.integers(-(2**63) + 1, 2**63 - 1) | st.decimals(
    allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20, places=6
)
documents: st.SearchStrategy[JSON] = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)


@given(documents)
def test_what_is_written_reads_back_equal_and_in_order(document: JSON) -> None:
    written = dumps(normalise(document))
    assert loads(written) == normalise(document)
    assert loads_stored(written) == loads(written)
    assert dumps(loads(written)) == written


def test_fractions_stay_exact_and_keep_their_zeros() -> None:
    document = loads('{"total": 13412.80, "tiny": 0.0000001, "big": 12345678901234567890.12345}')
    assert document == {
        "total": Decimal("13412.80"),
        "tiny": Decimal("0.0000001"),
        "big": Decimal("12345678901234567890.12345"),
    }
    assert dumps(document) == '{"total":13412.80,"tiny":0.0000001,"big":12345678901234567890.12345}'


def test_exponents_are_written_as_people_write_numbers() -> None:
    assert dumps(loads("[1e2, 2.50e1, 1E22, 123e65]")) == "[100,25.0,10000000000000000000000.0,1.23E+67]"


def test_floats_become_the_number_people_see() -> None:
    assert normalise({"rate": 0.1, "pair": (1, 2)}) == {"rate": Decimal("0.1"), "pair": [1, 2]}


@pytest.mark.parametrize(
    ("raw", "code", "path"),
    [
        (b"NaN", "not_finite", ""),
        (b'[1, {"a": -Infinity}]', "not_finite", "[1].a"),
        (b'{"x": "\\u0000"}', "nul", "x"),
        (b'{"x": "\\ud800"}', "lone_surrogate", "x"),
        (b'{"\\udfff": 1}', "lone_surrogate", ""),
        (b"[" * 100_000, "too_deep", ""),
        (b'{"a": 1, "b": {"c": 1, "c": 2}}', "duplicate_key", "b.c"),
        (b'{"n": ' + b"9" * 5000 + b"}", "number_too_big", "n"),
        (b'{"items": [{"price": 1e400}]}', "number_too_big", "items[0].price"),
        (b"[9223372036854775808]", "number_too_big", "[0]"),
        (b"[-9223372036854775808]", "number_too_big", "[0]"),
        (b"[1." + b"1" * 50 + b"]", "number_too_long", "[0]"),
        (b"\xff\xfe{\x00}\x00", "not_utf8", ""),
        (b"\xef\xbb\xbf{}", "byte_order_mark", ""),
        (b'"\xed\xa0\x80"', "not_utf8", ""),
        (b'"\xc0\xaf"', "not_utf8", ""),
        (b"", "not_json", ""),
        (b"{} {}", "not_json", ""),
        (b"[1,]", "not_json", ""),
        (b"{'a': 1}", "not_json", ""),
        (b'"\x01"', "not_json", ""),
        (b"[01]", "not_json", ""),
        (b'{"' + b"k" * 1025 + b'": 1}', "key_too_long", ""),
        (b"[1e99999999999999999999]", "number_too_big", "[0]"),
        (b"[1e-99999999999999999999]", "number_too_small", "[0]"),
        (b"[1e-99999999]", "number_too_small", "[0]"),
        (b"[-1e-301]", "number_too_small", "[0]"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_each_kind_of_bad_document_is_refused_with_its_place(raw: bytes, code: str, path: str) -> None:
    with pytest.raises(JSONRefused) as refused:
        loads(raw)
    assert (refused.value.code, refused.value.path) == (code, path)
    assert refused.value.message


def test_sixty_four_levels_are_taken_and_one_more_is_not() -> None:
    assert loads(b"[" * 64 + b"]" * 64) is not None
    for raw in (b"[" * 65 + b"]" * 65, b'{"a":' * 65 + b"1" + b"}" * 65):
        with pytest.raises(JSONRefused) as refused:
            loads(raw)
        assert refused.value.code == "too_deep"
        assert refused.value.message == "the document is nested deeper than 64 levels"
        assert len(refused.value.path) <= 30


def test_where_a_control_character_stands_is_said_once() -> None:
    with pytest.raises(JSONRefused) as refused:
        loads(b'"\x01"')
    assert refused.value.message == "this is not JSON: Invalid control character at line 1, column 2"


def test_a_key_of_1024_bytes_is_taken_whatever_its_letters() -> None:
    assert loads('{"' + "é" * 512 + '": 1}') == {"é" * 512: 1}
    with pytest.raises(JSONRefused):
        loads('{"' + "é" * 513 + '": 1}')


class TestParts:
    """A short text can take a hundred times as much memory when it is read: how many parts it has is counted first."""

    def test_a_document_of_a_million_parts_is_taken_and_one_more_is_not(self) -> None:
        assert loads(b"[" + b",".join([b"1"] * (MAX_PARTS - 1)) + b"]") == [1] * (MAX_PARTS - 1)
        with pytest.raises(JSONRefused) as refused:
            loads(b"[" + b",".join([b"1"] * MAX_PARTS) + b"]")
        assert refused.value.code == "too_many"
        assert refused.value.message == "the document has more than 1,000,000 parts; send it in several"

    @pytest.mark.parametrize("text", ["a,b", "[{", 'a,"b', "a,\\", "\\,", 'é,\\"'], ids=repr)
    def test_what_stands_in_texts_is_no_part(self, text: str) -> None:
        document = {"long": text * 1_100_000, "many": [text] * 100_000}
        assert loads(json.dumps(document, ensure_ascii=False)) == document

    @pytest.mark.parametrize("part", [b"[]", b"{}", b"0", b'""', b'{"":[]}'])
    def test_a_document_of_too_many_parts_is_refused_before_it_is_read(self, part: bytes) -> None:
        raw = b"[" + b",".join([part] * (9 * 1024 * 1024 // (len(part) + 1))) + b"]"
        tracemalloc.start()
        try:
            with pytest.raises(JSONRefused, match="more than 1,000,000 parts"):
                loads(raw)
            assert tracemalloc.get_traced_memory()[1] < 3 * len(raw)
        finally:
            tracemalloc.stop()


def test_the_place_of_a_refusal_is_the_whole_way_there() -> None:
    with pytest.raises(JSONRefused) as refused:
        normalise({"a": [0, {"b c": ({"d": [float("inf")]},)}]})
    assert refused.value.path == 'a[1]["b c"][0].d[0]'
    with pytest.raises(JSONRefused) as refused:
        loads('{"a": [' + "[]," * 100 + '{"b c": [{"d": [NaN]}]}]}')
    assert refused.value.path == 'a[100]["b c"][0].d[0]'


def test_half_a_character_is_found_however_its_neighbours_are_written() -> None:
    for raw in (r'["\\ud83d\ude00"]', r'["\ud83d\\ude00"]', r'["\ud83d \ude00"]', r'[{"\ude00\ud83d": 1}]'):
        with pytest.raises(JSONRefused) as refused:
            loads(raw)
        assert refused.value.code == "lone_surrogate"
    assert loads(r'["\ud83d\ude00", "\\u0000", "\\ud800"]') == ["\U0001f600", r"\u0000", r"\ud800"]


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        float("inf"),
        2**63,
        Decimal("NaN"),
        Decimal("1E+400"),
        {"a": "\x00"},
        "\ud800",
        {1: 2},
        pytest.param({"x": object()}, id="an object of no kind"),
        b"x",
        {1, 2},
    ],
    ids=repr,
)
def test_python_values_obey_the_same_law(value: Any) -> None:
    with pytest.raises(JSONRefused):
        normalise(value)


def test_special_names_are_only_names() -> None:
    assert loads('{"__proto__": 1, "constructor": 2, "": 3}') == {"__proto__": 1, "constructor": 2, "": 3}


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_and_never_crash(raw: bytes) -> None:
    try:
        document = loads(raw)
    except JSONRefused:
        return
    assert loads(dumps(document)) == document


@pytest.mark.parametrize("digits", [19, 20, 39, 40])
def test_a_whole_number_that_was_accepted_can_be_stored_and_passed_on(digits: int) -> None:
    for text in (f"1e{digits - 1}", "-" + "7" * digits + ".0" if digits < 40 else "-" + "7" * digits + "e0"):
        first = loads(text)
        again = loads_stored(dumps(first))
        assert again == first
        assert normalise(again) == first
        assert loads(dumps(again)) == first
        assert dumps(normalise(again)) == dumps(first)
