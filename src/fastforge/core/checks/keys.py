"""SECRET_KEY, and those before it: long is not enough, when somebody can work it out."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ...checks import Level, Message, check
from ..keys import MAKE_ONE, AcceptedKey, Weakness, accepted_keys

if TYPE_CHECKING:
    from ...project import Project

__all__ = [
    "secret_key_is_long",
    "secret_key_is_no_example",
    "secret_key_is_not_in_the_code",
    "secret_key_is_random",
]


def _weak(project: Project, weakness: Weakness) -> Iterator[AcceptedKey]:
    return (key for key in accepted_keys(project.settings) if weakness in key.weaknesses())


@check(tags={"security", "settings"}, deploy=True)
def secret_key_is_long(project: Project) -> Iterator[Message]:
    """Refuse to sign with a key that can be guessed."""
    for key in _weak(project, Weakness.SHORT):
        yield Message(
            id="core.E001",
            level=Level.ERROR,
            text=f"{key.name} {Weakness.SHORT.value}",
            hint=MAKE_ONE,
            where=key.where,
        )


@check(tags={"security", "settings"}, deploy=True)
def secret_key_is_no_example(project: Project) -> Iterator[Message]:
    """Refuse a key that was meant to be replaced."""
    for key in _weak(project, Weakness.EXAMPLE):
        yield Message(
            id="core.E006",
            level=Level.ERROR,
            text=f"{key.name} has {key.example!r} in it: it {Weakness.EXAMPLE.value}",
            hint=MAKE_ONE,
            where=key.where,
        )


@check(tags={"security", "settings"}, deploy=True)
def secret_key_is_random(project: Project) -> Iterator[Message]:
    """Refuse a key that is long, and made of little."""
    for key in _weak(project, Weakness.NOT_RANDOM):
        yield Message(
            id="core.E007",
            level=Level.ERROR,
            text=f"{key.name} {Weakness.NOT_RANDOM.value}",
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
