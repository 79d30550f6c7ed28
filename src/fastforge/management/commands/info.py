"""Show versions, the platform and the project, for a bug report.

It works outside of a project too, and shows no secrets.
"""

from __future__ import annotations

from typing import Annotated

from ...commands import Context, command
from ..reporting import lines_of
from ..tables import as_json

__all__ = ["info"]


@command(starts="nothing")
def info(*, json: Annotated[bool, "Write JSON."] = False, context: Context) -> None:
    """Show what is installed and what the project is made of.

    Raises:
        ForgeError: The project does not load; what is known has been written before.
    """
    from ..facts import about_installation, about_project

    facts = about_installation()
    project, failure = about_project(context.settings_module)
    facts["project"] = project
    if failure is not None and json:
        project["errors"] = [*lines_of(failure)]
    context.echo(as_json(facts) if json else _text(facts))
    if failure is not None:
        raise failure


def _text(facts: dict[str, object]) -> str:
    lines: list[str] = []
    for name, value in facts.items():
        if isinstance(value, dict):
            lines += ["", f"{name}:", *_aligned(value)]
        else:
            lines.append(f"{name}: {value}")
    return "\n".join(lines)


def _aligned(facts: dict[str, object]) -> list[str]:
    width = max((len(name) for name in facts), default=0)
    return [f"  {name:<{width}}  {_shown(value)}" for name, value in facts.items()]


def _shown(value: object) -> str:
    if isinstance(value, dict):
        value = [f"{name} {each}" for name, each in value.items()]
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
