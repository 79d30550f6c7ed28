"""SECRET_KEY: long enough is not enough, when somebody else knows it or can work it out."""

from __future__ import annotations

import ast
import math
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ...checks import Level, Message, check
from .settings import SECRET_KEY_MIN_BYTES

if TYPE_CHECKING:
    from ...project import Project

__all__ = ["secret_key_is_no_example", "secret_key_is_not_in_the_code", "secret_key_is_random"]

EXAMPLES: Final = (
    "changeme",
    "change-me",
    "change_me",
    "example",
    "insecure",
    "placeholder",
    "password",
    "replace-me",
    "replace_me",
    "secret-key",
    "secret_key",
    "secretkey",
    "your-secret",
    "yoursecret",
)
"""Words of six letters and more: by chance one is in a key once in a thousand million."""
LEAST_BITS: Final = 100
MAKE_ONE: Final = 'make one with: python -c "import secrets; print(secrets.token_urlsafe(48))"'


@check(tags={"security", "settings"}, deploy=True)
def secret_key_is_no_example(project: Project) -> Iterator[Message]:
    """Refuse a key that was meant to be replaced."""
    key = project.settings["SECRET_KEY"].lower()
    word = next((word for word in EXAMPLES if word in key), None)
    if word:
        yield Message(
            id="core.E006",
            level=Level.ERROR,
            text=f"SECRET_KEY has {word!r} in it: it is an example, which others know too",
            hint=MAKE_ONE,
            where=project.settings.where("SECRET_KEY"),
        )


@check(tags={"security", "settings"}, deploy=True)
def secret_key_is_random(project: Project) -> Iterator[Message]:
    """Refuse a key that is long, and made of little."""
    key = project.settings["SECRET_KEY"]
    if len(key.encode()) >= SECRET_KEY_MIN_BYTES and (_repeats(key) or _bits(key) < LEAST_BITS):
        yield Message(
            id="core.E007",
            level=Level.ERROR,
            text="SECRET_KEY is long and not random: few different characters, or a part that is"
            " repeated",
            hint=MAKE_ONE,
            where=project.settings.where("SECRET_KEY"),
        )


@check(tags={"security", "settings"}, deploy=True)
def secret_key_is_not_in_the_code(project: Project) -> Iterator[Message]:
    """Tell of a key that everybody has who has the code."""
    written = project.settings.raw.assignment("SECRET_KEY")
    node = written.value if written else None
    is_default = isinstance(node, ast.Call)
    if isinstance(node, ast.Call):
        node = next((each.value for each in node.keywords if each.arg == "default"), None)
    if written and isinstance(node, ast.Constant) and node.value:
        yield Message(
            id="core.W004",
            level=Level.WARNING,
            text=f"SECRET_KEY {'has a default' if is_default else 'stands'} in the settings:"
            " everybody who has the code can sign with it",
            hint='write SECRET_KEY = env.secret("SECRET_KEY"), and set another one in each place',
            where=written.location,
        )


def _repeats(text: str) -> bool:
    """Return whether a text is one shorter text again and again."""
    return text in (text + text)[1:-1]


def _bits(text: str) -> float:
    """Return at most how much chance is in a text, by how often its characters come."""
    size = len(text)
    return -sum(many * math.log2(many / size) for many in Counter(text).values())
