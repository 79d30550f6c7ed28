"""Weaknesses: what the rules of a project say of one password."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...lifecycle import current_container
from .hashing import is_usable
from .kinds import PASSWORD_RULES
from .rules import About, Weakness, unusable
from .settings import Auth

if TYPE_CHECKING:
    from .model import AbstractUser

__all__ = ["weaknesses_of"]


def weaknesses_of(password: str, user: AbstractUser | None = None) -> list[Weakness]:
    """Return what the rules of the running project find in a new password; none: it may be used.

    ```python
    problems = weaknesses_of("password1", user)
    ```

    Args:
        password: What somebody has chosen.
        user: Whose it shall be; it must not be like their login.

    Raises:
        ContainerMissing: No project runs here.
    """
    if not is_usable(password):
        return [unusable()]
    container = current_container()
    config = container.settings.section(Auth)
    words = () if user is None else tuple({word for word in (user.login, user.email) if word})
    about = About(config=config, words=words)
    return [
        Weakness(code=rule.name, message=message)
        for rule in container.registry.values(PASSWORD_RULES)
        if rule.name not in config.skipped_rules
        if (message := rule.function(password, about))
    ]
