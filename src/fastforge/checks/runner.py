"""Run the checks of a project."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Callable, Collection, Iterable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import wraps
from typing import TYPE_CHECKING, Any, Final, TypeVar

from .._utils import did_you_mean, failing_line, told
from ..components import Component
from ..exceptions import ComponentError, ErrorGroup, ForgeError, Location
from .check import CHECKS, Check, Connects, Level, Message
from .silence import Silence

if TYPE_CHECKING:
    from ..project import Project

__all__ = ["Findings", "once_a_run", "run_checks"]

Made = TypeVar("Made")

_made_in_this_run: Final[ContextVar[dict[object, Any] | None]] = ContextVar(
    "fastforge_checks_made", default=None
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What a run of the checks has found; iterating gives the messages.

    Attributes:
        messages: The most serious first, then by id and place: the same project gives the same
            order.
        silenced: What SILENCED_CHECKS or a comment at the place hides, with a reason.
        ran: How many checks ran.
    """

    messages: tuple[Message, ...]
    silenced: tuple[Message, ...]
    ran: int

    def __iter__(self) -> Iterator[Message]:
        return iter(self.messages)


def run_checks(
    project: Project,
    *,
    deploy: bool = False,
    connecting: Collection[Connects] = (),
    tags: Collection[str] = (),
    raise_errors: bool = False,
) -> Findings:
    """Return what the checks of every installed app find.

    An exception in one of them is a message that names the check and the line, and the others
    still run.

    Args:
        project: The project, not running.
        deploy: Also run the checks that only matter in production.
        connecting: Also run the checks that connect to these. Each runs in an event loop of its
            own, so that none may be running here.
        tags: Run only the checks that have one of these.
        raise_errors: Let an exception of a check through, for whoever wants its traceback.

    Raises:
        ComponentError: No check has one of the tags.
    """
    components = project.registry.components(CHECKS)
    _refuse_unknown(tags, {tag for each in components for tag in each.value.tags})
    chosen = [each for each in components if _is_chosen(each.value, deploy, connecting, tags)]
    token = _made_in_this_run.set({})
    try:
        found = sorted(
            (message for each in chosen for message in _messages(each, project, raise_errors)),
            key=_order,
        )
    finally:
        _made_in_this_run.reset(token)
    silence = Silence(project.settings["SILENCED_CHECKS"])
    silenced = tuple(message for message in found if silence.hides(message))
    hidden = set(map(id, silenced))
    return Findings(
        messages=tuple(message for message in found if id(message) not in hidden),
        silenced=silenced,
        ran=len(chosen),
    )


def once_a_run(make: Callable[[Project], Made]) -> Callable[[Project], Made]:
    """Let what several checks look at be made once in a run of them, which is of one project.

    Outside a run it is made at each call.
    """

    @wraps(make)
    def made(project: Project) -> Made:
        known = _made_in_this_run.get()
        if known is None:
            return make(project)
        if made not in known:
            known[made] = make(project)
        value: Made = known[made]
        return value

    return made


def _is_chosen(
    check: Check, deploy: bool, connecting: Collection[str], tags: Collection[str]
) -> bool:
    return (
        (deploy or not check.deploy)
        and (check.connects is None or check.connects in connecting)
        and (not tags or not check.tags.isdisjoint(tags))
    )


def _refuse_unknown(tags: Collection[str], known: Collection[str]) -> None:
    for tag in tags:
        if tag not in known:
            raise ComponentError(
                f"no check has the tag {tag!r}",
                code="checks.E004",
                hint=did_you_mean(tag, known) or f"there are {', '.join(sorted(known))}",
            )


def _order(message: Message) -> tuple[int, str, str, int, int, str]:
    where = message.where or Location("", 0)
    return (-message.level, message.id, where.file, where.line, where.column, message.text)


def _messages(
    component: Component[Check], project: Project, raise_errors: bool
) -> Iterator[Message]:
    check = component.value
    try:
        for found in _found(check, project):
            yield _tagged(component, found)
    except Exception as error:  # a check is anybody's code
        if raise_errors:
            raise
        yield _failure(component, error)


def _found(check: Check, project: Project) -> Iterable[object]:
    found = check.function(project)
    return asyncio.run(_all(found)) if isinstance(found, AsyncIterable) else found


async def _all(messages: AsyncIterable[object]) -> list[object]:
    return [message async for message in messages]


def _tagged(component: Component[Check], value: object) -> Message:
    if isinstance(value, Message):
        return replace(value, tags=value.tags | component.value.tags)
    return Message(
        id="checks.E002",
        level=Level.ERROR,
        text=f"the check {component.name!r} yields a {type(value).__name__}, which is no Message",
        hint="yield Message(id=..., level=..., text=...)",
        where=component.location,
        tags=component.value.tags,
    )


def _failure(component: Component[Check], error: Exception) -> Message:
    why = told(error)
    if isinstance(error, ForgeError) and not isinstance(error, ErrorGroup):
        why = f"[{error.code}] {error.message}"
    return Message(
        id="checks.E001",
        level=Level.ERROR,
        text=f"the check {component.name!r} fails: {why}",
        hint="the others have run; --traceback shows all of it",
        where=failing_line(error) or component.location,
        tags=component.value.tags,
    )
