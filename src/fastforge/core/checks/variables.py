"""Environment variables that nothing reads: most often somebody has misspelt one."""

from __future__ import annotations

import ast
import importlib.util
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..._utils import nearest
from ...checks import Level, Message, check
from ...conf.recording import EnvVariable
from ...exceptions import Location
from ..variables import VARIABLES

if TYPE_CHECKING:
    from ...project import Project

__all__ = ["variables_are_read"]

OWN_PREFIX: Final = "FASTFORGE_"
READ_BY_OTHERS: Final = ("COMPOSE_", "DOCKER_", "PYTHON", "UV_")
"""How names in `.env` begin that other programs read there."""

_INJECTED: Final = re.compile(
    r"_SERVICE_(HOST|PORT(_\w+)?)=|_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?="
    r"|_PORT=(tcp|udp|sctp)://|_NAME=/|_ENV_\w+="
)
"""What Kubernetes and Docker's links tell a container of its neighbours."""


@check(tags={"settings", "environment"})
def variables_are_read(project: Project) -> Iterator[Message]:
    """Find variables with the project's prefix, with ours, and in `.env` that nothing reads."""
    names = _Names.of(project)
    dotenv = project.settings.raw.environment.dotenv
    for name, value in project.settings.raw.environment.variables.items():
        if name in names.known or name.startswith(READ_BY_OTHERS):
            continue
        place = dotenv.get(name)
        ours = name.startswith(OWN_PREFIX)
        if place is None and not ours and not name.startswith(names.prefix):
            continue
        near = names.meant(name)
        if near is None and place is None and _is_injected(name, value):
            continue
        if place is None and not ours and _is_named_in_code(name, project):
            continue
        yield _told(name, near, place)


def _told(name: str, near: str | None, place: Location | None) -> Message:
    if near:
        return Message(
            id="core.E005",
            level=Level.ERROR,
            text=f"nothing reads the environment variable {name}",
            hint=f"did you mean {near!r}, which is not set?",
            where=place,
        )
    return Message(
        id="core.W003",
        level=Level.WARNING,
        text=f"nothing reads the environment variable {name}",
        hint="remove it, or read it with env() in the settings",
        where=place,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Names:
    """The names that something reads.

    Attributes:
        prefix: How the names of the project's own variables begin.
        known: All that are read here or would be read in another environment.
        unset: Those of them that are not set: what a misspelt name may have meant.
    """

    prefix: str
    known: Collection[str]
    unset: Collection[str]

    @classmethod
    def of(cls, project: Project) -> _Names:
        raw = project.settings.raw
        given = raw.environment.variables.keys()
        forms = [{name} for name in VARIABLES] + [_forms(each) for each in raw.record.variables]
        written = {name for file in raw.source.files for name in _texts(file)}
        return cls(
            prefix=f"{project.name.upper()}_",
            known=written.union(*forms),
            unset=set[str]().union(*(names for names in forms if names.isdisjoint(given))),
        )

    def meant(self, name: str) -> str | None:
        """Return the name that is read and not set, and that a name is most like."""
        # Without the prefix that they share, which would make all of them look alike.
        prefix = OWN_PREFIX if name.startswith(OWN_PREFIX) else self.prefix
        candidates = sorted(self.unset)
        short = {
            each.removeprefix(prefix): each
            for each in candidates
            if each.startswith(OWN_PREFIX) == (prefix == OWN_PREFIX)
        }
        found = nearest(name.removeprefix(prefix), short, likeness=0.66)
        return short[found] if found else nearest(name, candidates, likeness=0.85)


def _forms(variable: EnvVariable) -> set[str]:
    """Return the names of which one is enough."""
    return {variable.name, f"{variable.name}_FILE"} if variable.secret else {variable.name}


def _texts(file: str) -> Iterator[str]:
    """Yield the texts in a settings module: it may read other names in another environment."""
    for node in ast.walk(ast.parse(Path(file).read_bytes())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _is_injected(name: str, value: str) -> bool:
    return _INJECTED.search(f"{name}={value}") is not None


def _is_named_in_code(name: str, project: Project) -> bool:
    """Return whether a file of the project's package has it: `os.environ` reads it, perhaps."""
    spec = importlib.util.find_spec(project.name)
    word = re.compile(rf"\b{re.escape(name)}\b".encode())
    return any(
        word.search(path.read_bytes())
        for folder in (spec.submodule_search_locations if spec else None) or ()
        for path in Path(folder).rglob("*.py")
    )
