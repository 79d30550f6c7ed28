"""No text can make the search slow: a quadratic one would take minutes for each of these."""

from __future__ import annotations

from itertools import product
from time import monotonic

import pytest

from fastforge.redaction import redacted_text

LENGTH = 200_000
DEADLINE_S = 60

FRAGMENTS = (
    'eyJ', 'eyJ.', 'a.', 'a-', '.', '-', 'password', 'password=', 'password="', "password='",
    'password="\\', 'password=\\"', "('", "('password', '", '://', '://a:', '://a:b/', '@', 'a:',
    'a:b@', '/@', '?', '#', 'Bearer ', 'bearer\t', 'basic a', '=', '\\', '\\"', '%5D',
    '--password ', '<password>', 'Key (a)=(', 'DETAIL:(', 'input_value=', '[parameters: ',
    'argument $1: ', "'loc': 'input': ", '-----BEGIN PRIVATE KEY-----', '-----BEGIN ', '{',
    'token={', "token=[('", 'token={\\"', '?key={', '?key="', 'session=', 'xoxb-', 'AKIA', 'gh',
    'invalid input syntax for ', 'value "', ' ', '\t', '\n', 'token ', 'token=bearer ',
    'cookie: ', "'cookie: ", 'İ',
)  # fmt: skip


def _ends(text: str) -> None:
    began = monotonic()
    redacted_text(text)
    assert monotonic() - began < DEADLINE_S, text[:60]


@pytest.mark.parametrize("fragment", FRAGMENTS)
def test_a_long_text_of_one_fragment_is_looked_at_in_time(fragment: str) -> None:
    _ends(fragment * (LENGTH // len(fragment)))


@pytest.mark.parametrize("beginning", ["token={", 'password="', "a@b://c:d@", "eyJ.token='loc': "])
def test_so_is_one_with_a_beginning_that_asks_for_more(beginning: str) -> None:
    for fragment in FRAGMENTS:
        _ends(beginning + fragment * (LENGTH // 10 // len(fragment)))


@pytest.mark.long
def test_so_are_all_pairs_of_fragments() -> None:
    for first, second in product(FRAGMENTS, repeat=2):
        _ends((first + second) * (LENGTH // 10 // len(first + second)))
