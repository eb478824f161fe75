"""Secrets and signatures, against Standard Webhooks' own example."""

from __future__ import annotations

import base64

import pytest

from gitreg.errors import InvalidInput
from gitreg.subscribers import signature


def test_the_example_of_standard_webhooks() -> None:
    found = signature.sign(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        event="msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp=1614265330,
        body=b'{"test": 2432232314}',
    )
    assert found == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_new_secrets_are_long_and_differ() -> None:
    made = {signature.new_secret() for _ in range(20)}
    assert len(made) == 20
    assert all(len(base64.b64decode(one.removeprefix("whsec_"))) == 32 for one in made)


def test_each_secret_signs() -> None:
    found = signature.headers(["a" * 16, "b" * 16], event="e", timestamp=1, body=b"x")
    first, second = found["webhook-signature"].split(" ")
    assert first == signature.sign("a" * 16, event="e", timestamp=1, body=b"x")
    assert second == signature.sign("b" * 16, event="e", timestamp=1, body=b"x") != first


@pytest.mark.parametrize("text", ["short", "whsec_!!!", "whsec_YWJj", "with\x07bell" * 3, "x" * 600, ""])
def test_what_can_be_no_secret_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        signature.check_secret(text, where="FILE")
    assert not text or text not in str(refused.value)


def test_a_secret_in_a_file_may_end_with_a_newline() -> None:
    assert signature.check_secret("  a secret of some length\n", where="FILE") == "a secret of some length"
    assert signature.key_of("a secret of some length") == b"a secret of some length"
