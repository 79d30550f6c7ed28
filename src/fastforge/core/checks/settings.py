"""Settings that are legal and unwise."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ...checks import Level, Message, check

if TYPE_CHECKING:
    from ...project import Project

__all__ = ["debug_is_off", "silences_have_reasons"]


@check(tags={"security", "settings"}, deploy=True)
def debug_is_off(project: Project) -> Iterator[Message]:
    """Refuse to show the insides of a production process."""
    if project.settings.debug:
        yield Message(
            id="core.E002",
            level=Level.ERROR,
            text="DEBUG is on",
            hint="set FASTFORGE_ENV=production, or DEBUG = False",
            where=project.settings.where("DEBUG"),
        )


@check(tags={"settings"})
def silences_have_reasons(project: Project) -> Iterator[Message]:
    """Ask for the reason of every silenced check; without one it is not silenced."""
    written = project.settings.raw.source.assignments.get("SILENCED_CHECKS")
    for check_id, reason in project.settings["SILENCED_CHECKS"].items():
        if not reason.strip():
            yield Message(
                id="core.W002",
                level=Level.WARNING,
                text=f"SILENCED_CHECKS gives no reason for {check_id}, which is therefore reported",
                hint="write why it does not matter here",
                where=written.key_location([check_id]) if written else None,
            )
