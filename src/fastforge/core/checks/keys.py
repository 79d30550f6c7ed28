"""SECRET_KEY, and those before it: long is not enough, when somebody can work it out."""

from __future__ import annotations

import ast
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ...checks import Level, Message, check
from ...exceptions import Location

if TYPE_CHECKING:
    from ...project import Project

__all__ = [
    "secret_key_is_long",
    "secret_key_is_no_example",
    "secret_key_is_not_in_the_code",
    "secret_key_is_random",
]

SECRET_KEY_MIN_BYTES: Final = 32

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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Key:
    """A key of a project, and where it was written."""

    name: str
    value: str = field(repr=False)
    where: Location | None


def _keys(project: Project) -> Iterator[_Key]:
    """Give every key that is accepted: an old one forges as well as the new one."""
    settings = project.settings
    name = "SECRET_KEY"
    yield _Key(name=name, value=settings[name], where=settings.where(name))
    name = "SECRET_KEY_FALLBACKS"
    for index, value in enumerate(settings[name]):
        yield _Key(name=f"{name}[{index}]", value=value, where=settings.where(name))


@check(tags={"security", "settings"}, deploy=True)
def secret_key_is_long(project: Project) -> Iterator[Message]:
    """Refuse to sign with a key that can be guessed."""
    for key in _keys(project):
        if len(key.value.encode()) < SECRET_KEY_MIN_BYTES:
            yield Message(
                id="core.E001",
                level=Level.ERROR,
                text=f"{key.name} is shorter than {SECRET_KEY_MIN_BYTES} bytes",
                hint=MAKE_ONE,
                where=key.where,
            )


@check(tags={"security", "settings"}, deploy=True)
def secret_key_is_no_example(project: Project) -> Iterator[Message]:
    """Refuse a key that was meant to be replaced."""
    for key in _keys(project):
        word = next((word for word in EXAMPLES if word in key.value.lower()), None)
        if word:
            yield Message(
                id="core.E006",
                level=Level.ERROR,
                text=f"{key.name} has {word!r} in it: it is an example, which others know too",
                hint=MAKE_ONE,
                where=key.where,
            )


@check(tags={"security", "settings"}, deploy=True)
def secret_key_is_random(project: Project) -> Iterator[Message]:
    """Refuse a key that is long, and made of little."""
    for key in _keys(project):
        is_long = len(key.value.encode()) >= SECRET_KEY_MIN_BYTES
        if is_long and (_repeats(key.value) or _bits(key.value) < LEAST_BITS):
            yield Message(
                id="core.E007",
                level=Level.ERROR,
                text=f"{key.name} is long and not random: few different characters, or a part"
                " that is repeated",
                hint=MAKE_ONE,
                where=key.where,
            )


@check(tags={"security", "settings"}, deploy=True)
def secret_key_is_not_in_the_code(project: Project) -> Iterator[Message]:
    """Tell of a key that everybody has who has the code."""
    for name in ("SECRET_KEY", "SECRET_KEY_FALLBACKS"):
        written = project.settings.raw.assignment(name)
        node = written.value if written else None
        is_default = isinstance(node, ast.Call)
        if isinstance(node, ast.Call):
            node = next((each.value for each in node.keywords if each.arg == "default"), None)
        if written and node is not None and _has_text(node):
            yield Message(
                id="core.W004",
                level=Level.WARNING,
                text=f"{name} {'has a default' if is_default else 'stands'} in the settings:"
                " everybody who has the code can sign with it",
                hint=f'write {name} = env.secret("{name}"), and set another one in each place',
                where=written.location,
            )


def _has_text(node: ast.expr) -> bool:
    """Return whether a key is written out: alone, or in a list."""
    items = node.elts if isinstance(node, ast.List | ast.Tuple) else [node]
    return any(isinstance(each, ast.Constant) and each.value for each in items)


def _repeats(text: str) -> bool:
    """Return whether a text is one shorter text again and again."""
    return text in (text + text)[1:-1]


def _bits(text: str) -> float:
    """Return at most how much chance is in a text, by how often its characters come."""
    size = len(text)
    return -sum(many * math.log2(many / size) for many in Counter(text).values())
