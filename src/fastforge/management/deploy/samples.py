"""Samples: the variables of production with what stands in place of their values."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from ...scaffold.filling import fill
from .deployment import Deployment
from .templates import template
from .variables import Variable

__all__ = ["environment_file"]


def environment_file(
    deployment: Deployment,
    command: str,
    *,
    without: Collection[str] = (),
    first: Iterable[str] = (),
) -> str:
    """Return a sample of `production.env`.

    Args:
        deployment: The project.
        command: What writes it.
        without: The variables that something else gives.
        first: Lines of others that are needed.
    """
    wanted = [each for each in deployment.variables if each.name not in without]
    # What has to be filled in comes first.
    ordered = sorted(wanted, key=lambda variable: not variable.is_wanted)
    values = {
        "written_by": " ".join(deployment.command(command)),
        "variables": "\n\n".join([*first, *map(_lines, ordered)]),
    }
    return fill(template("production.env"), values)


def _lines(variable: Variable) -> str:
    line = f"{variable.name}={variable.sample}"
    return f"# {variable.facts}\n{line if variable.is_wanted else f'# {line}'}"
