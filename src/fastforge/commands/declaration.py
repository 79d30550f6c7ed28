"""Command: a function that the command line calls, in a project that is running or not."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, overload

from ..exceptions import ComponentError, Location

if TYPE_CHECKING:
    from ..lifecycle import Container
    from ..project import Project

__all__ = ["Command", "Context", "Starts", "command"]

Starts = Literal["nothing", "project", "resources"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A declared command. Its name is the name of the file that it stands in.

    Args:
        function: What it does; async or not. It may return an exit code.
        starts: What is there while it runs: `nothing`, the loaded `project`, or its open
            `resources`.
        forwards: Whether options that it does not know are arguments, for another program.
    """

    function: Callable[..., Any]
    starts: Starts = "resources"
    forwards: bool = False

    @property
    def is_async(self) -> bool:
        """Whether the function is a coroutine function."""
        return inspect.iscoroutinefunction(self.function)


class Context:
    """What a command may know of the call: `context: Context` among its parameters.

    Attributes:
        settings_module: What `--settings` named.
        echo: Writes a line to the standard output.
    """

    def __init__(
        self,
        *,
        settings_module: str | None = None,
        project: Project | None = None,
        container: Container | None = None,
        echo: Callable[[str], None] = print,
        load: Callable[[], Project] | None = None,
    ) -> None:
        self.settings_module = settings_module
        self.echo = echo
        self._load = load
        self._project = project
        self._container = container

    @property
    def project(self) -> Project:
        """The loaded project."""
        if self._project is None:
            raise _absent("project", "project")
        return self._project

    def load_project(self) -> Project:
        """Load the project: for a command that starts nothing and has to prepare something first.

        Raises:
            ForgeError: It cannot be loaded.
        """
        if self._project is None and self._load is not None:
            self._project = self._load()
        return self.project

    @property
    def container(self) -> Container:
        """The running resources."""
        if self._container is None:
            raise _absent("container", "resources")
        return self._container


@overload
def command(function: Callable[..., Any], /) -> Command: ...
@overload
def command(
    *, starts: Starts = ..., forwards: bool = ...
) -> Callable[[Callable[..., Any]], Command]: ...
def command(
    function: Any = None, /, *, starts: Starts = "resources", forwards: bool = False
) -> Any:
    """Declare a command: the only one of its file in an app's `commands/` folder.

    The file's name is the command's name, the first line of its docstring the help. Parameters
    that are injected work as in a handler. The others come from the command line: one without
    a default is an argument, one with a default or keyword-only an option, a bool a flag, a list
    an option that may be repeated; `tuple[str, ...]` takes all arguments that are left, and one
    before `/` is an argument also when it has a default. `Annotated[int, "help text"]` describes
    it. With `forwards`, options that the command does not know are arguments too.

    ```python
    # shop/orders/commands/close_month.py
    \"\"\"Close the books of one month.\"\"\"

    @command
    async def close_month(month: str, *, dry_run: bool = False, db: DbSession = injected) -> None:
        ...
    ```

    Raises:
        ComponentError: A command that starts resources is not async.
    """

    def declare(function: Callable[..., Any]) -> Command:
        if starts == "resources" and not inspect.iscoroutinefunction(function):
            raise ComponentError(
                f"the command {function.__name__!r} starts resources but is not async",
                code="components.E010",
                hint='write `async def`, or @command(starts="project")',
                where=Location.of(function),
            )
        return Command(function=function, starts=starts, forwards=forwards)

    return declare if function is None else declare(function)


def _absent(name: str, starts: Starts) -> ComponentError:
    return ComponentError(
        f"this command has no {name}",
        code="components.E011",
        hint=f'declare it with @command(starts="{starts}")',
    )
