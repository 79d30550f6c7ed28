"""Project: a settings module collected into one frozen value."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from .apps import AppConfig, load_apps
from .commands import CommandFile, CommandGroup, find_commands
from .components import Component, Kind, Registry, discover
from .conf import (
    App,
    RawSettings,
    Setting,
    Settings,
    find_settings_module,
    make_importable,
    read_settings_module,
    validate,
)
from .exceptions import AppError, ErrorGroup, ForgeError, Location, SettingsError

if TYPE_CHECKING:
    from .lifecycle import Container, Resource, Role

__all__ = ["Outline", "Project"]

CORE: Final = App("fastforge.core")
KINDS: Final = Kind(name="kinds", type=Kind, module="kinds", key=lambda kind: kind.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """What is known of a project before its apps' components are imported.

    Reading it imports the settings module and each app's `apps.py`, and nothing heavier than
    pydantic: it is all that a command needs to find out which project it is about.
    """

    settings: Settings
    apps: tuple[AppConfig, ...]
    commands: Mapping[str, CommandFile | CommandGroup]

    @classmethod
    def read(
        cls,
        settings_module: str | None = None,
        *,
        start: Path | None = None,
        environ: Mapping[str, str] | None = None,
        named_by: str = "",
    ) -> Outline:
        """Read the settings and the installed apps.

        Args:
            settings_module: The dotted name; else `FASTFORGE_SETTINGS_MODULE` or the nearest
                `pyproject.toml` says it.
            start: The folder where the search for `pyproject.toml` begins; the working
                directory.
            environ: The environment; the process's own.
            named_by: What gave `settings_module`, for messages: an option, a file.

        Raises:
            SettingsError: The settings module cannot be found or run.
            ErrorGroup: All mistakes in the settings and in INSTALLED_APPS.
        """
        folder = start or Path.cwd()
        make_importable(folder)
        module = settings_module
        if module is None:
            variables = os.environ if environ is None else environ
            module, named_by = find_settings_module(folder, variables)
        return cls.of(read_settings_module(module, named_by=named_by, environ=environ))

    @classmethod
    def of(cls, raw: RawSettings) -> Outline:
        """Load the apps that the settings install, and validate the settings.

        Raises:
            ErrorGroup: All mistakes in the settings and in INSTALLED_APPS.
        """
        apps = _load_apps(raw)
        return cls(
            settings=validate(raw, _declared(apps)),
            apps=apps,
            commands=find_commands((app.label, app.commands) for app in apps),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """The loaded whole: settings, apps, components. Nothing is open and nothing is running.

    ```python
    project = Project.load("shop.settings")
    async with project.running(Role.COMMAND):
        ...
    ```

    Surprises: loading imports the apps' modules and does no other I/O; two projects live in one
    process, and loading twice gives equal projects.
    """

    settings: Settings
    apps: tuple[AppConfig, ...]
    commands: Mapping[str, CommandFile | CommandGroup]
    registry: Registry

    @classmethod
    def load(
        cls,
        settings_module: str | None = None,
        *,
        start: Path | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> Project:
        """Load a project; the arguments and errors are those of `Outline.read`.

        Raises:
            ComponentError: Two components clash, a module does not load, needs are circular.
        """
        return cls.of(Outline.read(settings_module, start=start, environ=environ))

    @classmethod
    def of(cls, outline: Outline) -> Project:
        """Collect the components of an outline's apps, and freeze them."""
        from .lifecycle import Role, start_order

        registry = _collect(outline.apps)
        for role in Role:
            start_order(registry, role)
        return cls(
            settings=outline.settings,
            apps=outline.apps,
            commands=outline.commands,
            registry=registry,
        )

    @property
    def outline(self) -> Outline:
        """What is known of it without its components."""
        return Outline(settings=self.settings, apps=self.apps, commands=self.commands)

    @property
    def name(self) -> str:
        """The name of the package that holds the settings."""
        return self.settings.module.partition(".")[0]

    def overriding(
        self,
        *,
        settings: Mapping[str, Any] | None = None,
        resources: Mapping[Resource[Any], object] | None = None,
    ) -> Project:
        """Return a copy of the project with other settings and with stand-ins for resources.

        ```python
        quiet = project.overriding(settings={"DEBUG": False}, resources={search: FakeSearch()})
        ```

        Surprises: nothing global changes, and this project stays as it is. A section is replaced
        as a whole, as if it had been written so in the settings module.

        Args:
            settings: Upper-case names and their values; sections as objects or as dicts.
            resources: What handlers, tasks and commands find in the place of a resource: an async
                generator function (also one with `@asynccontextmanager`) or another resource opens
                it at each start; anything else is the instance itself.

        Raises:
            ErrorGroup: Unknown names and wrong values, all of them.
            ComponentError: A resource that no installed app declares.
            AppError: INSTALLED_APPS names an app that cannot be loaded.
        """
        from .lifecycle.replacing import replace_resources, stand_ins_of

        changed = self
        if settings:
            raw = self.settings.raw.overriding(settings)
            if "INSTALLED_APPS" in settings:
                changed = Project.of(Outline.of(raw))
                resources = {**stand_ins_of(self.registry), **(resources or {})}
            else:
                changed = replace(self, settings=validate(raw, _declared(self.apps)))
        if resources:
            caller = sys._getframe(1)
            where = Location(caller.f_code.co_filename, caller.f_lineno)
            registry = replace_resources(changed.registry, resources, where=where)
            changed = replace(changed, registry=registry)
        return changed

    def running(
        self, role: Role, *, services: bool = True
    ) -> AbstractAsyncContextManager[Container]:
        """Open what a role needs; close it at the end of the block.

        Args:
            role: The kind of process.
            services: Whether the services of the role run as well.

        Raises:
            StartError: A required resource could not be opened, or a server or a worker in
                production would sign with a key that others can work out.
        """
        from .core.keys import refuse_weak_keys
        from .core.settings import Server
        from .lifecycle import Role, running
        from .observability.redaction import redaction_of

        if role in {Role.WEB, Role.WORKER}:
            refuse_weak_keys(self.settings)
        server = self.settings.section(Server)
        return running(
            self.registry,
            self.settings,
            role,
            start_deadline_s=server.start_deadline_in(self.settings.environment),
            teardown_s=server.teardown_s,
            services=services,
            redaction=redaction_of(self.settings),
        )

    def __repr__(self) -> str:
        return f"<Project({self.settings.module}, {len(self.apps)} apps)>"


def _load_apps(raw: RawSettings) -> tuple[AppConfig, ...]:
    entries = raw.values.get("INSTALLED_APPS", [])
    where = raw.location("INSTALLED_APPS")
    if not isinstance(entries, list | tuple):
        raise ErrorGroup([*raw.errors, _no_list(entries, where)])
    try:
        return load_apps([CORE, *entries], locate=lambda index: _place_of(index, raw))
    except ForgeError as error:
        # Without the apps nobody knows which names are read, so that unknown ones wait.
        group = error.errors if isinstance(error, ErrorGroup) else (error,)
        raise ErrorGroup([*raw.errors, *group]) from error


def _place_of(index: int, raw: RawSettings) -> Location | None:
    return raw.entry_location("INSTALLED_APPS", index - 1)  # the first is CORE


def _no_list(entries: object, where: Location | None) -> SettingsError:
    return SettingsError(
        f"INSTALLED_APPS is a {type(entries).__name__}, not a list",
        code="conf.E021",
        hint='write a list of names: INSTALLED_APPS = ["shop.orders"]',
        where=where,
    )


def _declared(apps: Iterable[AppConfig]) -> Iterator[Setting]:
    owners: dict[str, AppConfig] = {}
    for app in apps:
        for declared in app.settings:
            setting = declared if isinstance(declared, Setting) else Setting.of(declared)
            owner = owners.setdefault(setting.name, app)
            if owner is not app:
                raise AppError(
                    f"the apps {owner.name!r} and {app.name!r} both declare {setting.name}",
                    code="apps.E008",
                    hint="give one section another name: class X(Section, setting=...)",
                )
            yield setting


def _collect(apps: tuple[AppConfig, ...]) -> Registry:
    kinds = [KINDS, *(found.value for app in apps for found in _of_app(KINDS, app))]
    return Registry(kinds, lambda kind: [found for app in apps for found in _of_app(kind, app)])


def _of_app(kind: Kind[Any], app: AppConfig) -> Iterator[Component[Any]]:
    return discover(kind, app.name, app.label)
