"""A secret is known by the words of the name that it stands under."""

from __future__ import annotations

import pytest

from fastforge.redaction import Redaction, is_sensitive, redacting
from fastforge.redaction.names import ENDINGS, PAIRS, SECRETS, is_hidden
from fastforge.redaction.rules import Redaction as Rules


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "user_password",
        "userPassword",
        "dbpassword",
        "PGPASSWORD",
        "MYSQL_PWD",
        "smtp_pass",
        "password_hash",
        "accessToken",
        "csrftoken",
        "refresh_tokens",
        "Authorization",
        "Proxy-Authorization",
        "Cookie",
        "Set-Cookie",
        "SECRET_KEY",
        "client_secret",
        "apikey",
        "api_key",
        "X-Api-Key",
        "XApiKey",
        "APIKey",
        "aws_secret_access_key",
        "DATABASE_DSN",
        "private_key",
        "credentials",
        "sessionid",
        "session_id",
        "PHPSESSID",
        "X-CSRF-Token",
        "xsrf",
        "user[password]",
        "jwt",
    ],
)
def test_names_of_secrets_are_known_however_they_are_written(name: str) -> None:
    assert is_sensitive(name)


@pytest.mark.parametrize(
    "name",
    [
        "tokenizer",
        "secretary",
        "tokens_used_total",
        "max_tokens",
        "prompt_tokens",
        "token_count",
        "token_type",
        "cookie_name",
        "session",
        "password_min_length",
        "SECRET_KEY_FILE",
        "allow_credentials",
        "has_token",
        "primary_key",
        "key",
        "monkey",
        "compass",
        "passenger",
        "author",
        "dsnet",
        "",
        "_",
        "x" * 10_000 + "password",
    ],
)
def test_names_that_only_look_like_it_are_not(name: str) -> None:
    assert not is_sensitive(name)


def test_a_yes_or_no_and_so_many_of_them_are_no_secret() -> None:
    assert not is_hidden("allow_credentials", True)
    assert not is_hidden("password", None)
    assert not is_hidden("tokens", 12)
    assert is_hidden("tokens", "abc")
    assert is_hidden("token", 12)


def test_a_project_adds_names_and_takes_others_out() -> None:
    assert not is_sensitive("payer_iban") and is_sensitive("token_bucket")
    with redacting(Redaction(names=("iban", "birthDate"), shown=("token_bucket",))):
        assert is_sensitive("payer_iban") and is_sensitive("payerIBAN")
        assert is_sensitive("birth_date") and not is_sensitive("birth_place")
        assert not is_sensitive("token_bucket") and is_sensitive("token_bucket_token") is False
        assert is_sensitive("token")
    assert not is_sensitive("payer_iban") and is_sensitive("token_bucket")


def test_each_name_has_a_hint_by_which_texts_are_looked_at() -> None:
    """Else `name=value` would be masked under a key and shown in a text."""
    hints = Rules().hints
    for name in (*SECRETS, *ENDINGS, *("_".join(pair) for pair in PAIRS), "pass"):
        assert is_sensitive(name), name
        assert hints.search(name), name
