"""A message is checked when it is made, and becomes what the standard library reads back."""

from __future__ import annotations

from email.header import decode_header, make_header
from email.parser import BytesParser
from email.policy import compat32, default
from email.utils import getaddresses, parsedate_to_datetime
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from fastforge.contrib.mail import Attachment, Letter, Mail, Message, MessageError
from fastforge.contrib.mail.letter import letter_of

CONFIG = Mail(from_address="Shop <shop@example.org>")


def composed(config: Mail = CONFIG, /, **fields: Any) -> Letter:
    message = Message(**{"to": "ann@example.org", "subject": "Hello", "text": "Hi", **fields})
    return letter_of(message, config)


def refusal(config: Mail = CONFIG, /, **fields: Any) -> str:
    with pytest.raises(MessageError) as caught:
        composed(config, **fields)
    return str(caught.value)


@pytest.mark.parametrize(
    ("given", "name", "spec"),
    [
        ("ann@example.org", "", "ann@example.org"),
        (" Ann <ann+news@example.org> ", "Ann", "ann+news@example.org"),
        ("<ann@example.org>", "", "ann@example.org"),
        ('"Smith, Ann \\"A\\"" <ann@example.org>', 'Smith, Ann "A"', "ann@example.org"),
        ("Änne Öst <ann@bücher.example>", "Änne Öst", "ann@xn--bcher-kva.example"),
        ("ann@faß.example", "", "ann@xn--fa-hia.example"),
        ("root@localhost", "", "root@localhost"),
    ],
)
def test_an_address_is_one_mailbox_with_its_domain_encoded(
    given: str, name: str, spec: str
) -> None:
    letter = composed(to=given)
    (address,) = letter.parsed()["To"].addresses
    assert (address.display_name, address.addr_spec) == (name, spec)
    assert letter.recipients == (spec,)


@pytest.mark.parametrize(
    "given",
    [
        "",
        "ann",
        "ann@",
        "@example.org",
        "ann@example.org, bob@example.org",
        "ann@example.org;bob@example.org",
        "ann@example.org bob@example.org",
        "bob@example.org, Ann <ann@example.org>",
        "Ann <ann@example.org>, <bob@example.org>",
        "Ann <ann@example.org> <bob@example.org>",
        "ann@example.org\r\nBcc: bob@example.org",
        "Ann\nBcc: bob@example.org <ann@example.org>",
        "ann@example.org\0",
        "ann@example.org> SIZE=1 RCPT TO:<bob@example.org",
        "ann..a@example.org",
        "änne@example.org",
        '"ann b"@example.org',
        "ann@-example-.org",
        "ann@exa mple.org",
        "ann@[127.0.0.1]",
        f"{'a' * 65}@example.org",
        f"ann@{'a' * 64}.org",
        f"{'n' * 201} <ann@example.org>",
        f"a{' ' * 500_000}b@example.org",  # read before its length it takes an hour
        "ann\ud800@example.org",
    ],
)
@pytest.mark.parametrize("field", ["to", "cc", "bcc", "from_address", "reply_to"])
def test_what_is_no_address_or_several_is_refused_where_it_is_given(given: str, field: str) -> None:
    if field in ("from_address", "reply_to") and not given:
        return  # as if it was not given
    assert "[mail.E001]" in refusal(**{field: given})


@pytest.mark.parametrize(
    "broken", ["a\r\nb", "a\nBcc: bob@example.org", "a\rb", "a\0b", "a\u2028b"]
)
def test_no_header_becomes_two(broken: str) -> None:
    assert "[mail.E002]" in refusal(subject=broken)
    assert "[mail.E002]" in refusal(headers={"X-Order": broken})
    assert "[mail.E002]" in refusal(headers={f"X-{broken}": "1"})
    with pytest.raises(MessageError, match=r"mail\.E002"):
        Attachment(name=broken, content=b"")
    config = CONFIG.model_copy(update={"subject_prefix": broken})
    assert "[mail.E002]" in refusal(config)


@pytest.mark.parametrize("name", ["Bcc", "to", "FROM", "Reply-To", "subject"])
def test_a_header_that_is_a_field_says_which(name: str) -> None:
    field = {"FROM": "from_address", "Reply-To": "reply_to"}.get(name, name.lower())
    assert f"write {field}=..." in refusal(headers={name: "x"})


@pytest.mark.parametrize("name", ["Date", "message-id", "Content-Type", "MIME-Version", "Sender"])
def test_a_header_of_ours_is_refused(name: str) -> None:
    assert "set by the mailer" in refusal(headers={name: "x"})


def test_what_nobody_gets_or_sends_or_is_empty_is_refused() -> None:
    assert "no recipient" in refusal(to=())
    assert "neither text nor html" in refusal(text="")
    assert "nobody sends the message" in refusal(Mail())
    assert "NUL" in refusal(text="a\0b")
    assert "half of a character" in refusal(html="\ud800")


def test_all_headers_are_there_and_those_of_bcc_are_not() -> None:
    config = CONFIG.model_copy(update={"subject_prefix": "[shop] ", "reply_to": "help@example.org"})
    letter = composed(
        config, cc=["Bob <bob@example.org>"], bcc=["eve@example.org"], headers={"X-Order": "7"}
    )
    message = letter.parsed()
    assert message["From"] == "Shop <shop@example.org>"
    assert message["Reply-To"] == "help@example.org"
    assert message["Subject"] == letter.subject == "[shop] Hello"
    assert message["X-Order"] == "7"
    assert message["Message-ID"] == letter.message_id
    assert letter.message_id.endswith("@example.org>")
    assert parsedate_to_datetime(message["Date"]).utcoffset() is not None
    assert letter.recipients == ("ann@example.org", "bob@example.org", "eve@example.org")
    assert "eve" not in letter.content
    assert message.defects == []


def test_who_is_named_twice_gets_one() -> None:
    assert composed(to="ann@example.org", cc="Ann <ann@example.org>").recipients == (
        "ann@example.org",
    )


def test_text_and_html_are_alternatives_with_the_files_behind_them() -> None:
    letter = composed(
        text="Grüße",
        html="<p>Grüße</p>",
        attachments=[
            Attachment(name="übersicht.pdf", content=b"\0\xff"),
            Attachment(name="a.csv", content=b"a\r\nb", content_type="text/csv"),
        ],
    )
    message = letter.parsed()
    assert message.get_content_type() == "multipart/mixed"
    alternatives, *files = message.iter_parts()
    assert alternatives.get_content_type() == "multipart/alternative"
    kinds = [part.get_content_type() for part in alternatives.iter_parts()]  # type: ignore[union-attr]
    assert kinds == ["text/plain", "text/html"]
    assert [part.get_content_type() for part in files] == ["application/pdf", "text/csv"]
    assert letter.attachments == {"übersicht.pdf": b"\0\xff", "a.csv": b"a\r\nb"}
    assert (letter.text, letter.html) == ("Grüße", "<p>Grüße</p>")


def test_html_alone_is_not_an_alternative() -> None:
    letter = composed(text="", html="<p>Hi</p>")
    assert letter.parsed().get_content_type() == "text/html"
    assert (letter.text, letter.html) == ("", "<p>Hi</p>")


@pytest.mark.parametrize("name", ["", "a/b", "..\\b"])
def test_an_attachment_has_a_plain_name(name: str) -> None:
    with pytest.raises(MessageError, match=r"mail\.E003"):
        Attachment(name=name, content=b"")


@pytest.mark.parametrize("kind", ["pdf", "multipart/mixed", "message/rfc822", "a/b\r\nX: y"])
def test_an_attachment_has_a_type_of_a_file(kind: str) -> None:
    with pytest.raises(MessageError, match=r"mail\.E003"):
        Attachment(name="a", content=b"", content_type=kind)


def test_size_and_number_are_bounded() -> None:
    config = Mail(from_address="a@example.org", max_message_bytes=2000, max_recipients=2)
    big = Attachment(name="a", content=bytes(1500))
    assert "MAIL.max_message_bytes is 2,000" in refusal(config, attachments=[big])
    many = [f"{number}@example.org" for number in range(3)]
    assert "3 recipients, and MAIL.max_recipients is 2" in refusal(config, bcc=many, to=())


def test_a_hundred_names_that_are_not_ascii_stay_whole() -> None:
    """The standard library's folding has taken such lists apart in several versions."""
    names = [f"Ängström, Özgür {number} 😀 {'ü' * (number % 60)}" for number in range(100)]
    letter = composed(to=[f'"{name}" <u{n}@example.org>' for n, name in enumerate(names)])
    # Read by the older parser: the newer one puts a space between two halves of an encoded name.
    old = BytesParser(policy=compat32).parsebytes(letter.content.encode("ascii"))
    found = getaddresses([str(old["To"])])
    assert [str(make_header(decode_header(name))) for name, _ in found] == names
    assert [spec for _, spec in found] == list(letter.recipients)


LINES = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=150
)


@given(subject=LINES, name=LINES, text=st.text(st.characters(exclude_categories=("Cs", "Cc"))))
def test_any_text_comes_back_and_is_ascii_in_short_lines(
    subject: str, name: str, text: str
) -> None:
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    letter = composed(
        to=f'"{quoted}" <ann@example.org>',
        subject=subject,
        headers={"X-Name": name},
        text=f"{text}.",
    )
    raw = letter.content.encode("ascii")
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))
    assert b"\n" not in raw.replace(b"\r\n", b"")
    message = BytesParser(policy=default).parsebytes(raw)
    assert list(message) == [
        "From", "To", "Subject", "Date", "Message-ID", "X-Name",
        "Content-Type", "Content-Transfer-Encoding", "MIME-Version",
    ]  # fmt: skip
    assert len(message["To"].addresses) == 1
    assert letter.recipients == ("ann@example.org",)
    assert letter.text.split() == f"{text}.".split()
    if subject.strip() == subject and "  " not in subject:
        assert letter.subject == subject


def test_a_list_given_to_a_frozen_message_is_a_copy() -> None:
    to = ["ann@example.org"]
    message = Message(to=to, subject="s", text="t")
    to.append("eve@example.org")
    assert message.to == ("ann@example.org",)


def test_no_text_smuggles_an_end_of_the_message() -> None:
    """Servers have disagreed on whether a dot between other line breaks ends a message."""
    for end in ("\r.\r", "\n.\n", "\r\n.\r\n", "\n.\r\n", "\x0b.\x0c", "\x85.\u2028", "\r\r.\n\n"):
        raw = composed(text=f"a{end}MAIL FROM:<eve@example.org>").content.encode("ascii")
        lone = raw.replace(b"\r\n", b"")
        assert b"\r" not in lone
        assert b"\n" not in lone
