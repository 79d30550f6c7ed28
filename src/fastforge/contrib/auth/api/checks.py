"""Checks of the ready routes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ....checks import Level, Message, check
from ..kinds import LOGIN_GUARDS

if TYPE_CHECKING:
    from ....project import Project

__all__ = ["logins_are_limited"]


@check(tags={"auth", "security"}, deploy=True)
def logins_are_limited(project: Project) -> Iterator[Message]:
    """Warn of a login that somebody may try as often as the hashes let them."""
    if not project.registry.components(LOGIN_GUARDS):
        yield Message(
            id="auth.W008",
            level=Level.WARNING,
            text="no guard limits how often somebody may try to log in",
            hint='put "fastforge.contrib.ratelimit" into INSTALLED_APPS, or declare a LoginGuard'
            " in an app's login_guards.py",
            where=project.settings.where("INSTALLED_APPS"),
        )
