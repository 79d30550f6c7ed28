"""A secret is known in any text by the form that it has there."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastforge.redaction import MASK, Redaction, redacted_text, redacting

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJlLWhlcmU"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        # URLs
        ("postgresql+asyncpg://shop:s3cret@db/shop", "postgresql+asyncpg://shop:***@db/shop"),
        ("redis://:s3cret@cache:6379/0", "redis://:***@cache:6379/0"),
        ("postgresql://u:p@ss@db/x", "postgresql://u:***@db/x"),
        ("postgresql://u:p/s@s@db/x", "postgresql://u:***@db/x"),
        ("postgresql://u:p?s@db/x", "postgresql://u:***@db/x"),
        ("postgresql://u:it's@db/x", "postgresql://u:***@db/x"),
        ("redis://:a@h1/0,redis://:b@h2/0", "redis://:***@h1/0,redis://:***@h2/0"),
        ("//shop:s3cret@db/shop", "//shop:***@db/shop"),
        ("shop:s3cret@db", "shop:***@db"),
        ("https://9f8e7d6c5b4a39281706f5e4@host/1", "https://***@host/1"),
        # names and values
        ("password=hunter2", "password=***"),
        ("password = hunter2, host=db", "password = ***, host=db"),
        ("connect(password='hunter2', host=db)", "connect(password='***', host=db)"),
        ('password="a b\\"c" x', 'password="***" x'),
        ("password: hunter2 was refused", "password: *** was refused"),
        ('{"user": {"token": "a b", "age": 3}}', '{"user": {"token": "***", "age": 3}}'),
        ('{\\"token\\": \\"a b\\", \\"age\\": 3}', '{\\"token\\": \\"***\\", \\"age\\": 3}'),
        ("{'cookies': {'a': 'b}', 'c': 'd'}, 'x': 1}", "{'cookies': ***, 'x': 1}"),
        ("secrets=['a', ('b)',)] x=1", "secrets=*** x=1"),
        ("secret=b'abc'", "secret=b'***'"),
        ('password="""a b"""', 'password="""***"""'),
        ('"password": "cut off he', '"password": "***'),
        ("password = {'cut': 'off", "password = ***"),
        ("x" * 300 + "_password=hunter2", "x" * 300 + "_password=***"),
        ("(b'authorization', b'Bearer x y')", "(b'authorization', b'***')"),
        ("[['cookie', 'a=b'], ['host', 'x']]", "[['cookie', '***'], ['host', 'x']]"),
        ("mysql --password hunter2 --host db", "mysql --password *** --host db"),
        ("<password>hunter2</password>", "<password>***</password>"),
        # queries and forms
        ("/a?token=abc&page=2", "/a?token=***&page=2"),
        ("user[password]=abc&page=2", "user[password]=***&page=2"),
        ("user%5Bpassword%5D=abc&page=2", "user%5Bpassword%5D=***&page=2"),
        ("next=%2Fa%3Ftoken%3Dabc", "next=%2Fa%3Ftoken%3D***"),
        ("/back?code=abcdefghijklmnop&state=qrstuvwxyz12", "/back?code=***&state=***"),
        ("/f?X-Amz-Signature=abcdefghijklmnop", "/f?X-Amz-Signature=***"),
        (
            "for url 'https://x.org/?api_key=abc'\nMore",
            "for url 'https://x.org/?api_key=***'\nMore",
        ),
        # headers
        ("Authorization: Bearer abc def\r\nHost: x", "Authorization: ***\r\nHost: x"),
        ("Cookie: a=b; c=d\nHost: x", "Cookie: ***\nHost: x"),
        ("-H 'Authorization: Token abc' https://x", "-H 'Authorization: ***' https://x"),
        ("session=abcdefghijklmnop; theme=dark", "session=***; theme=dark"),
        ("got Bearer canary-of-the-mine", "got Bearer ***"),
        ("got Basic dXNlcjpodW50ZXIy", "got Basic ***"),
        # by their own form
        (f"the token {JWT}.", "the token ***"),
        (f"x-{JWT}", "x-***"),
        ("AKIAIOSFODNN7EXAMPLE", "***"),
        ("ghp_abcdefghijklmnopqrstuvwxyz0123", "***"),
        ("sent ffa_" + "Ab-_" * 20 + ".", "sent ***."),
        ("ffr_" + "Ab-_" * 28, "***"),
        ("ffk_" + "Ab-_" * 20, "***"),
        ("sent fsu_" + "Ab-_" * 19 + ".", "sent ***."),
        ("fsg_" + "Ab-_" * 19, "***"),
        ("ffa_short", "ffa_short"),
        (
            "-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----\nx",
            "-----BEGIN RSA PRIVATE KEY-----***-----END RSA PRIVATE KEY-----\nx",
        ),
        ("-----BEGIN PRIVATE KEY-----\\nabc cut", "-----BEGIN PRIVATE KEY-----***"),
        # what others quote
        (
            'violates "users_email_key"\nDETAIL:  Key (email)=(a@b.c (x)) already exists.',
            'violates "users_email_key"\nDETAIL:  Key (email)=(***) already exists.',
        ),
        ("DETAIL:  Failing row contains (1, ada).", "DETAIL:  Failing row contains (***)."),
        (
            "[SQL: INSERT]\n[parameters: ('hunter2', [3])]\n(Background on this error)",
            "[SQL: INSERT]\n[parameters: ***]\n(Background on this error)",
        ),
        (
            "invalid input for query argument $1: 'hunter2' (an integer is required)",
            "invalid input for query argument $1: '***' (an integer is required)",
        ),
        (
            "invalid input syntax for type uuid: \"hunter2\"\nCONTEXT:  parameter $1 = 'hunter2'",
            "invalid input syntax for type uuid: \"***\"\nCONTEXT:  parameter $1 = '***'",
        ),
        ('value "99999999999" is out of range', 'value "***" is out of range'),
        (
            "  too short [type=too_short, input_value='hunter2', input_type=str]\n    For more",
            "  too short [type=too_short, input_value=***, input_type=str]\n    For more",
        ),
        (
            "[{'type': 'x', 'loc': ('body', 'a'), 'msg': 'no', 'input': 'hunter2'}]",
            "[{'type': 'x', 'loc': ('body', 'a'), 'msg': 'no', 'input': '***'}]",
        ),
    ],
)
def test_what_has_the_form_of_a_secret_is_masked(text: str, shown: str) -> None:
    assert redacted_text(text) == shown
    assert redacted_text(shown) == shown


@pytest.mark.parametrize(
    "text",
    [
        "http://127.0.0.1:8000/@ada",
        "https://example.com/a:b",
        "ada@example.org wrote to grace@example.org",
        "Basic authentication is required",
        "the token expires in 5 s, a Bearer token is better",
        "max_tokens=512 tokens: 12 token_type=bearer",
        "password=None, token: null, secret=***",
        "session=<AsyncSession at 0x1>",
        "primary_key=7 monkey: banana key=value",
        "/orders?code=404&state=open",
        "fastforge.core.apps 1.2.3 at 10:30:00 of db.example.org:5432",
        "KeyError: 'password'",
        "-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----",
        "invalid input for the form: 3 of 4 fields",
    ],
)
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert redacted_text(text) == text


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_text_around_it_hides_a_token(before: str, after: str) -> None:
    """Not even letters that are two in lower case, which would move all that follows."""
    assert JWT.split(".")[1] not in redacted_text(f"{before} {JWT} {after}")
    assert "hunter2" not in redacted_text(f"{before} &password=hunter2 {after}")


def test_secrets_that_the_settings_know_are_masked_anywhere() -> None:
    rules = Redaction(secrets=("s3cret-of-the-shop", "s3cret-of-the-shop-longer", "a/b c+d!"))
    with redacting(rules):
        assert redacted_text("it is s3cret-of-the-shop-longer") == "it is ***"
        assert redacted_text("is(s3cret-of-the-shop)") == "is(***)"
        assert redacted_text("https://x/?q=a%2Fb%20c%2Bd%21") == "https://x/?q=***"
    assert redacted_text("is(s3cret-of-the-shop)") == "is(s3cret-of-the-shop)"


def test_a_password_that_is_a_word_does_not_mask_the_word() -> None:
    with redacting(Redaction(secrets=("postgres", "short", "***"))):
        assert redacted_text("a short postgres *****") == "a short postgres *****"


def test_a_project_adds_patterns() -> None:
    whole = re.compile(r"\b\d{13,19}\b")
    group = re.compile(r"card (?P<secret>\d{4})?(?P<rest> x)?")
    with redacting(Redaction(patterns=(whole, group))):
        assert redacted_text("of 4111111111111111") == "of ***"
        assert redacted_text("card 1234 x") == "card *** x"
    assert MASK not in redacted_text("of 4111111111111111")


def test_two_projects_in_one_process_are_masked_together() -> None:
    first, second = Redaction(names=("iban",)), Redaction(names=("bic",))
    with redacting(first):
        with redacting(second):
            assert redacted_text("iban=1 bic=2") == "iban=*** bic=***"
        assert redacted_text("iban=1 bic=2") == "iban=*** bic=2"
    assert redacted_text("iban=1 bic=2") == "iban=1 bic=2"
