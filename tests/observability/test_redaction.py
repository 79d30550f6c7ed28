"""What a project masks is in its settings: names and patterns of its own, and its secrets."""

from __future__ import annotations

from pathlib import Path

import pytest

from fastforge.exceptions import ErrorGroup
from fastforge.observability.redaction import redacted_text, redacting, redaction_of
from tests.folder import isolated

SETTINGS = """
from pydantic import SecretStr
from fastforge.conf import env
from fastforge.contrib.redis import Redis
from fastforge.observability import Logging

SECRET_KEY = env.secret("SECRET_KEY", default="0123456789abcdef0123456789abcdef")
_OTHER = env.secret("OTHER", default="an-other-s3cret")
INSTALLED_APPS = ["fastforge.contrib.redis"]
REDIS = Redis(url="redis://:in%2Fthe-url9@cache/0")
LOGGING = Logging(
    secret_names=("iban",), secret_patterns=(r"card (?P<secret>[0-9]+)",), shown_names=("token",)
)
"""


def test_what_the_settings_say_and_know_is_masked(tmp_path: Path) -> None:
    with isolated(tmp_path) as folder:
        folder.write({"shop/settings.py": SETTINGS})
        rules = redaction_of(folder.load().settings)
    assert "an-other-s3cret" not in repr(rules)
    with redacting(rules):
        text = redacted_text("an-other-s3cret in%2Fthe-url9 in/the-url9 iban=1 card 12 token=x")
    assert text == "*** *** *** iban=*** card *** token=x"


@pytest.mark.parametrize(
    ("field", "fault"),
    [
        ('secret_patterns=("(",)', "is no regular expression"),
        ('secret_patterns=("a*",)', "would mask everywhere"),
        ('secret_names=("-",)', "a name has letters in it"),
    ],
)
def test_a_pattern_or_name_that_would_not_do_is_refused(
    tmp_path: Path, field: str, fault: str
) -> None:
    settings = f"from fastforge.observability import Logging\nLOGGING = Logging({field})\n"
    with isolated(tmp_path) as folder, pytest.raises(ErrorGroup, match=fault):
        folder.write({"shop/settings.py": settings})
        folder.load()
