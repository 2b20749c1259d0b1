"""The senders' own published examples, and everything that may be wrong with a signature."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

import pytest

from runtime.catalog import CATALOG
from runtime.intake.signatures import PRESETS, Headers, Scheme, check, scheme_of

GITHUB_SECRET = b"It's a Secret to Everybody"
GITHUB_BODY = b"Hello, World!"
GITHUB_SIGNATURE = b"sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"

STANDARD_SECRET = b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
STANDARD_ID = b"msg_p5jXN8AQM9LWM0D4loKWxJek"
STANDARD_TIME = 1614265330
STANDARD_BODY = b'{"test": 2432232314}'
STANDARD_SIGNATURE = b"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

NOW = 1_700_000_000


def ok(scheme: Scheme, headers: Headers, body: bytes, *secrets: bytes, now: float = NOW) -> bool:
    return check(scheme, headers, body, secrets, now).valid


def of_config(config: dict[str, Any]) -> Scheme:
    """As the door reads it: what is left out stands at the step type's start values."""
    return scheme_of(CATALOG.filled("trigger.webhook@1", config))


def test_without_a_preset_the_scheme_is_the_one_that_the_form_shows() -> None:
    assert of_config({"auth": "hmac"}) == PRESETS["github"]


@pytest.mark.parametrize("preset", ["stripe", "standard", "custom"])
def test_how_old_a_signature_may_be_is_what_the_webhook_says(preset: str) -> None:
    assert of_config({"hmac_preset": preset, "tolerance_seconds": 600}).tolerance_seconds == 600
    assert of_config({"hmac_preset": preset}).tolerance_seconds == 300


def test_an_old_stripe_delivery_is_let_in_where_the_webhook_allows_it() -> None:
    stamp = b"%d" % (NOW - 400)
    signature = hmac.new(b"secret", stamp + b".{}", "sha256").hexdigest().encode()
    headers = {b"stripe-signature": [b"t=" + stamp + b",v1=" + signature]}
    for seconds, valid in ((600, True), (399, False)):
        assert (
            ok(of_config({"hmac_preset": "stripe", "tolerance_seconds": seconds}), headers, b"{}", b"secret") is valid
        )


def test_the_age_of_a_signature_is_asked_for_only_where_a_time_stamp_may_be_signed() -> None:
    node_type = CATALOG.get("trigger.webhook@1")
    assert node_type is not None
    shown = node_type.config_schema["properties"]["tolerance_seconds"]["x-ui"]["showIf"]
    assert shown == {"auth": ["hmac"], "hmac_preset": ["stripe", "standard", "custom"]}


class TestGitHub:
    def headers(self, value: bytes) -> Headers:
        return {b"x-hub-signature-256": [value]}

    def valid(self, value: bytes, body: bytes = GITHUB_BODY, *secrets: bytes) -> bool:
        return ok(PRESETS["github"], self.headers(value), body, *(secrets or (GITHUB_SECRET,)))

    def test_the_published_example_is_valid(self) -> None:
        assert self.valid(GITHUB_SIGNATURE)

    def test_upper_case_digits_are_valid(self) -> None:
        assert self.valid(b"sha256=" + GITHUB_SIGNATURE[7:].upper())

    @pytest.mark.parametrize(
        "value",
        [
            GITHUB_SIGNATURE[7:],
            b"sha1=" + hmac.new(GITHUB_SECRET, GITHUB_BODY, "sha1").hexdigest().encode(),
            GITHUB_SIGNATURE[:-1],
            GITHUB_SIGNATURE[:-1] + b"8",
            GITHUB_SIGNATURE + b" ",
            b"sha256=",
            b"",
        ],
    )
    def test_anything_else_is_refused(self, value: bytes) -> None:
        assert not self.valid(value)

    def test_only_the_old_header_is_refused(self) -> None:
        old = b"sha1=" + hmac.new(GITHUB_SECRET, GITHUB_BODY, "sha1").hexdigest().encode()
        assert not ok(PRESETS["github"], {b"x-hub-signature": [old]}, GITHUB_BODY, GITHUB_SECRET)

    def test_two_signature_headers_are_refused(self) -> None:
        headers = {b"x-hub-signature-256": [GITHUB_SIGNATURE, GITHUB_SIGNATURE]}
        assert not ok(PRESETS["github"], headers, GITHUB_BODY, GITHUB_SECRET)

    @pytest.mark.parametrize(
        "body",
        [
            b'{"a": 1}',
            b'{"a":1}',
            b'{"a":1.0}',
            b'\xef\xbb\xbf{"a":1}',
            b'{"a":1}\r\n',
            b'{"a":"\\u002f"}',
            b"\x00\xff",
        ],
    )
    def test_exactly_the_received_bytes_are_signed(self, body: bytes) -> None:
        signature = b"sha256=" + hmac.new(GITHUB_SECRET, body, "sha256").hexdigest().encode()
        assert self.valid(signature, body)
        assert not self.valid(signature, body + b" ")

    def test_both_secrets_are_valid_while_one_follows_the_other(self) -> None:
        assert self.valid(GITHUB_SIGNATURE, GITHUB_BODY, b"new", GITHUB_SECRET)
        assert self.valid(GITHUB_SIGNATURE, GITHUB_BODY, GITHUB_SECRET, b"new")
        assert not self.valid(GITHUB_SIGNATURE, GITHUB_BODY, b"new", b"newer")

    @pytest.mark.parametrize("secrets", [(), (b"",), (b"", b"")])
    def test_without_a_secret_nobody_is_let_in(self, secrets: tuple[bytes, ...]) -> None:
        empty = b"sha256=" + hmac.new(b"", GITHUB_BODY, "sha256").hexdigest().encode()
        assert not check(PRESETS["github"], self.headers(empty), GITHUB_BODY, secrets, NOW).valid


class TestStripe:
    secret = b"whsec_test_secret"
    body = b'{"id":"evt_1","object":"event"}'

    def sign(self, at: int, secret: bytes | None = None) -> bytes:
        return hmac.new(secret or self.secret, b"%d." % at + self.body, "sha256").hexdigest().encode()

    def valid(self, value: bytes, now: float = NOW, *secrets: bytes) -> bool:
        headers = {b"stripe-signature": [value]}
        return ok(PRESETS["stripe"], headers, self.body, *(secrets or (self.secret,)), now=now)

    def test_a_signature_of_now_is_valid(self) -> None:
        assert self.valid(b"t=%d,v1=%s,v0=6ffbb59b2300aae63f272406069a9788598b792a" % (NOW, self.sign(NOW)))

    def test_one_valid_signature_among_several_is_enough(self) -> None:
        assert self.valid(b"t=%d,v1=%s,v1=%s" % (NOW, b"0" * 64, self.sign(NOW)))

    def test_spaces_between_the_parts_do_not_matter(self) -> None:
        assert self.valid(b"t=%d, v1=%s" % (NOW, self.sign(NOW)))

    @pytest.mark.parametrize(("age", "expected"), [(0, True), (300, True), (301, False), (-300, True), (-301, False)])
    def test_the_time_stamp_may_be_five_minutes_off(self, age: int, expected: bool) -> None:
        at = NOW - age
        assert self.valid(b"t=%d,v1=%s" % (at, self.sign(at))) is expected

    @pytest.mark.parametrize(
        "value", [b"", b"t=1", b"v1=00", b"t=x,v1=00", b"t=-5,v1=00", b"t=" + b"9" * 30 + b",v1=00"]
    )
    def test_a_broken_header_is_refused(self, value: bytes) -> None:
        assert not self.valid(value)

    def test_an_old_version_alone_is_refused(self) -> None:
        assert not self.valid(b"t=%d,v0=%s" % (NOW, self.sign(NOW)))

    def test_the_time_stamp_is_part_of_what_is_signed(self) -> None:
        assert not self.valid(b"t=%d,v1=%s" % (NOW + 1, self.sign(NOW)))


class TestShopify:
    def test_a_base64_signature_of_the_raw_body_is_valid(self) -> None:
        body = b'{"id":820982911946154508,"email":"jon@example.com"}'
        value = base64.b64encode(hmac.new(b"hush", body, "sha256").digest())
        headers = {b"x-shopify-hmac-sha256": [value]}
        assert ok(PRESETS["shopify"], headers, body, b"new secret", b"hush")
        assert not ok(PRESETS["shopify"], headers, body + b" ", b"hush")
        assert not ok(PRESETS["shopify"], {b"x-shopify-hmac-sha256": [value[:-4]]}, body, b"hush")


class TestStandardWebhooks:
    def headers(
        self, signature: bytes = STANDARD_SIGNATURE, *, id: bytes = STANDARD_ID, at: bytes = b"%d" % STANDARD_TIME
    ) -> Headers:
        return {b"webhook-id": [id], b"webhook-timestamp": [at], b"webhook-signature": [signature]}

    def valid(self, headers: Headers, secret: bytes = STANDARD_SECRET, now: float = STANDARD_TIME) -> bool:
        return ok(PRESETS["standard"], headers, STANDARD_BODY, secret, now=now)

    def test_the_published_example_is_valid_with_and_without_the_secrets_prefix(self) -> None:
        assert self.valid(self.headers())
        assert self.valid(self.headers(), STANDARD_SECRET.removeprefix(b"whsec_"))

    def test_only_the_last_of_several_signatures_needs_to_fit(self) -> None:
        others = b"v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc= v2,AAAA v1a,BBBB "
        assert self.valid(self.headers(others + STANDARD_SIGNATURE))

    @pytest.mark.parametrize(
        "signature",
        [
            b"",
            b"v1",
            b"v1,",
            STANDARD_SIGNATURE[:12],
            STANDARD_SIGNATURE.replace(b"v1,", b"v1a,"),
            STANDARD_SIGNATURE.replace(b"v1,", b"v2,"),
            STANDARD_SIGNATURE[3:],
            STANDARD_SIGNATURE.replace(b"=", b""),
            STANDARD_SIGNATURE.replace(b"g0h", b"h0h"),
        ],
    )
    def test_a_signature_that_does_not_fit_is_refused(self, signature: bytes) -> None:
        assert not self.valid(self.headers(signature))

    def test_a_changed_id_or_time_stamp_is_refused(self) -> None:
        assert not self.valid(self.headers(id=STANDARD_ID[:-1] + b"x"))
        assert not self.valid(self.headers(at=b"%d" % (STANDARD_TIME + 1)))
        assert not self.valid(self.headers(at=b""))

    @pytest.mark.parametrize("missing", [b"webhook-id", b"webhook-timestamp", b"webhook-signature"])
    def test_a_missing_header_is_refused(self, missing: bytes) -> None:
        headers = {name: values for name, values in self.headers().items() if name != missing}
        assert not self.valid(headers)

    @pytest.mark.parametrize(("shift", "expected"), [(300, True), (301, False), (-300, True), (-301, False)])
    def test_the_time_stamp_may_be_five_minutes_off(self, shift: int, expected: bool) -> None:
        assert self.valid(self.headers(), now=STANDARD_TIME + shift) is expected

    @pytest.mark.parametrize("secret", [b"", b"whsec_", b"not base64 !"])
    def test_without_a_usable_secret_nobody_is_let_in(self, secret: bytes) -> None:
        assert not self.valid(self.headers(), secret)


class TestCustom:
    @pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha512"])
    @pytest.mark.parametrize("encoding", ["hex", "base64"])
    @pytest.mark.parametrize("signed", ["body", "timestamp.body"])
    def test_every_combination_is_understood(self, algorithm: str, encoding: str, signed: str) -> None:
        scheme = of_config(
            {
                "hmac_preset": "custom",
                "hmac_header": "X-Acme-Signature",
                "hmac_algorithm": algorithm,
                "hmac_encoding": encoding,
                "hmac_prefix": "v1=",
                "hmac_signed": signed,
                "hmac_timestamp_header": "X-Acme-Time",
                "tolerance_seconds": 60,
            }
        )
        content = b"body" if signed == "body" else b"%d.body" % NOW
        digest = hmac.new(b"secret", content, getattr(hashlib, algorithm)).digest()
        value = digest.hex().encode() if encoding == "hex" else base64.b64encode(digest)
        headers = {b"x-acme-signature": [b"v1=" + value], b"x-acme-time": [b"%d" % NOW]}
        assert ok(scheme, headers, b"body", b"secret")
        assert not ok(scheme, headers, b"bodY", b"secret")
        assert ok(scheme, headers, b"body", b"secret", now=NOW + 61) is (signed == "body")

    def test_the_comparison_is_the_one_that_takes_constant_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        compared: list[tuple[object, object]] = []
        real = hmac.compare_digest

        def watched(a: bytes, b: bytes) -> bool:
            compared.append((type(a), type(b)))
            return real(a, b)

        monkeypatch.setattr(hmac, "compare_digest", watched)
        headers = {b"x-hub-signature-256": [GITHUB_SIGNATURE]}
        assert ok(PRESETS["github"], headers, GITHUB_BODY, GITHUB_SECRET, b"other")
        assert compared == [(bytes, bytes)] * 2
