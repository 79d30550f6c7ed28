"""Checks of verifiers of others' tokens."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ....checks import Level, Message, check
from ..kinds import TOKEN_VERIFIERS
from .introspection import Introspection

if TYPE_CHECKING:
    from ....project import Project

__all__ = ["whoever_takes_all_is_last"]


@check(tags={"auth"})
def whoever_takes_all_is_last(project: Project) -> Iterator[Message]:
    """Warn of verifiers that no token reaches, since one before them takes them all."""
    greedy = ""
    for each in project.registry.components(TOKEN_VERIFIERS):
        if greedy:
            yield Message(
                id="auth.W006",
                level=Level.WARNING,
                text=f"no token reaches the verifier {each.name!r}: {greedy!r} takes them all",
                hint=f"give {greedy!r} the `prefix` of its tokens, or put it last",
                where=each.location,
            )
        if isinstance(each.value, Introspection) and not each.value.prefix:
            greedy = greedy or each.name
