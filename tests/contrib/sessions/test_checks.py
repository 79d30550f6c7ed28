"""`manage check` of SESSIONS, and what the section itself refuses."""

from __future__ import annotations

import pytest

from fastforge.checks import run_checks
from fastforge.exceptions import ForgeError
from tests.folder import ProjectFolder

from .shop import settings

CORS = """
    from fastforge.web import Cors
    CORS = Cors(allow_origins=["https://app.example"], allow_credentials=True)
"""


def found(folder: ProjectFolder, sessions: str = "", more: str = "") -> dict[str, str]:
    folder.write({"shop/settings.py": settings(sessions=sessions) + more})
    messages = run_checks(folder.load(), deploy=True).messages
    return {each.id: str(each) for each in messages if each.id.startswith("sessions.")}


def test_the_default_is_right(folder: ProjectFolder) -> None:
    assert found(folder) == {}


@pytest.mark.parametrize(
    ("sessions", "more", "check", "told"),
    [
        ('store="databse"', "", "sessions.E001", "did you mean 'database'?"),
        ("secure=False", "", "sessions.W001", "SESSIONS.secure is off"),
        ("", CORS, "sessions.W002", "CORS lets https://app.example send cookies"),
        ('trusted_origins=["http://a.example"]', "", "sessions.W003", "write https://a.example"),
    ],
)
def test_what_is_wrong_is_told(
    folder: ProjectFolder, sessions: str, more: str, check: str, told: str
) -> None:
    messages = found(folder, sessions, more)
    assert [*messages] == [check]
    assert told in messages[check]


def test_an_origin_that_is_trusted_may_send_cookies(folder: ProjectFolder) -> None:
    assert found(folder, 'trusted_origins=["https://app.example"]', CORS) == {}


@pytest.mark.parametrize(
    ("sessions", "told"),
    [
        ('trusted_origins=["*"]', "every page of the web"),
        ('trusted_origins=["app.example"]', "has no scheme"),
        ('same_site="none", secure=False', "SameSite=None"),
    ],
)
def test_a_section_that_lets_anybody_in_is_refused(
    folder: ProjectFolder, sessions: str, told: str
) -> None:
    folder.write({"shop/settings.py": settings(sessions=sessions)})
    with pytest.raises(ForgeError, match=told):
        folder.load()
