"""What of a setting may be shown does not depend on the order in which secrets were read."""

from __future__ import annotations

from itertools import permutations

import pytest

from fastforge.conf.redaction import is_hidden, is_secret_name, masked


def test_the_longest_secret_is_masked_first() -> None:
    for secrets in permutations(["abcd", "abcdefgh"]):
        assert masked("abcdefgh and abcd", secrets) == "*** and ***"


def test_passwords_in_urls_are_masked_without_being_known() -> None:
    assert masked("redis://:pw@cache/0", ()) == "redis://:***@cache/0"


@pytest.mark.parametrize("name", ["SECRET_KEY", "password", "API_KEY", "access_token"])
def test_names_of_secrets_are_known(name: str) -> None:
    assert is_secret_name(name)
    assert not is_secret_name("page_size")


def test_a_yes_or_no_is_no_secret_whatever_it_is_called() -> None:
    assert not is_hidden("allow_credentials", True)
    assert not is_hidden("secret_key", None)
    assert is_hidden("secret_key", 1234)
    assert not is_hidden("key_of_the_house", "under the mat")
