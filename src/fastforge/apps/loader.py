"""Loader: entries of INSTALLED_APPS become AppConfigs, in order, their requirements checked."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from .._utils import failing_line, import_hint, nearest, told
from ..components import load_module
from ..conf import App
from ..exceptions import AppError, ErrorGroup, ForgeError, Location
from .config import AppConfig

__all__ = ["load_apps"]

_DOTTED_NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
_PREFIX = re.compile(r"(/([^/\s{}]|\{[A-Za-z_]\w*(:[A-Za-z_]\w*)?\})+)*")


Locate = Callable[[int], Location | None]


def load_apps(entries: Iterable[Any], *, locate: Locate) -> tuple[AppConfig, ...]:
    """Load the installed apps.

    Args:
        entries: Dotted names and `App` objects.
        locate: Gives the place of the entry at an index, for the errors.

    Raises:
        ErrorGroup: With every bad entry: unknown, failing, listed twice, requirement missing.
    """
    apps: list[tuple[AppConfig, Location | None]] = []
    errors: list[ForgeError] = []
    for index, entry in enumerate(entries):
        try:
            apps.append((_load(entry), locate(index)))
        except ForgeError as error:
            error.where = error.where or locate(index)
            errors.append(error)
    errors.extend(_order_errors(apps))
    if errors:
        raise ErrorGroup(errors)
    return tuple(app for app, _ in apps)


def _load(entry: Any) -> AppConfig:
    app = _checked(entry)
    _import_package(app.name)
    module = load_module(f"{app.name}.apps")
    configs = [
        value
        for value in vars(module or object).values()
        if inspect.isclass(value) and issubclass(value, AppConfig) and value is not AppConfig
        if value.__module__ == f"{app.name}.apps"
    ]
    if len(configs) > 1:
        names = ", ".join(config.__name__ for config in configs)
        raise AppError(
            f"{app.name}.apps defines several AppConfigs: {names}",
            code="apps.E005",
            hint="keep one",
        )
    config = configs[0](app) if configs else _plain(app)
    if config.name != app.name:
        raise AppError(
            f"the AppConfig of {app.name!r} says that it is {config.name!r}",
            code="apps.E009",
            hint=f'write name = "{app.name}", or leave it out',
        )
    _refuse_single_values(type(config))
    return config


def _refuse_single_values(config: type[AppConfig]) -> None:
    """Refuse `requires = "shop.orders"` and `settings = Orders`: a comma is easily forgotten."""
    for name in ("requires", "settings"):
        value = getattr(config, name)
        if not isinstance(value, tuple | list):
            shown = repr(value) if isinstance(value, str) else getattr(value, "__name__", value)
            raise AppError(
                f"{name} of {config.__name__} is {shown}, not a tuple",
                code="apps.E010",
                hint=f"write {name} = ({shown},)",
            )


def _checked(entry: Any) -> App:
    app = App(entry) if isinstance(entry, str) else entry
    if not isinstance(app, App) or not _DOTTED_NAME.fullmatch(app.name):
        raise AppError(
            f"{entry!r} is no app",
            code="apps.E001",
            hint='write a dotted name such as "shop.orders", or App("shop.orders", prefix="/api")',
        )
    if not _PREFIX.fullmatch(app.prefix):
        raise AppError(
            f"the prefix {app.prefix!r} of {app.name} is no path",
            code="apps.E006",
            hint="begin it with / and end it without one, for example /api or /orgs/{org}",
        )
    return app


def _plain(app: App) -> AppConfig:
    class PlainApp(AppConfig):
        name = app.name

    return PlainApp(app)


def _import_package(name: str) -> None:
    try:
        spec = importlib.util.find_spec(name)
    except ModuleNotFoundError as error:
        if not f"{name}.".startswith(f"{error.name}."):
            raise _failing(name, error) from error
        spec = None
    except Exception as error:
        raise _failing(name, error) from error
    if spec is None:
        raise AppError(f"no app {name!r} can be imported", code="apps.E002", hint=_near(name))
    if spec.submodule_search_locations is None:
        hint = "make it a folder with __init__.py"
        raise AppError(f"{name!r} is a module, not a package", code="apps.E002", hint=hint)
    try:
        importlib.import_module(name)
    except Exception as error:
        raise _failing(name, error) from error


def _failing(name: str, error: Exception) -> AppError:
    return AppError(
        f"the app {name!r} does not load: {told(error)}",
        code="apps.E003",
        hint=import_hint(error) or "--traceback shows all of it",
        where=failing_line(error),
    )


def _near(name: str) -> str:
    """Return a suggestion from what lies beside the place where the app was looked for."""
    package, _, last = name.rpartition(".")
    near = nearest(last, _siblings(package))
    if near:
        return f"did you mean '{package + '.' if package else ''}{near}'?"
    beginning = name.partition(".")[0]
    near = nearest(beginning, _siblings(""))
    if near and near != beginning:
        return f"did you mean '{near}{name.removeprefix(beginning)}'?"
    return "it has to be a package (a folder with __init__.py) that Python can import"


def _siblings(package: str) -> Iterator[str]:
    try:
        spec = importlib.util.find_spec(package) if package else None
    except ModuleNotFoundError:
        return
    if package and (spec is None or spec.submodule_search_locations is None):
        return
    paths = list(spec.submodule_search_locations or ()) if spec else None
    yield from (found.name for found in pkgutil.iter_modules(paths) if found.ispkg)
    for path in paths or ():  # a folder without __init__.py is importable as well
        yield from (folder.name for folder in Path(path).iterdir() if folder.is_dir())


def _order_errors(apps: Sequence[tuple[AppConfig, Location | None]]) -> Iterator[AppError]:
    labels: dict[str, AppConfig] = {}
    names = [app.name for app, _ in apps]
    for position, (app, where) in enumerate(apps):
        other = labels.setdefault(app.label, app)
        if other is not app:
            yield _twice(app, other, where)
        for required in app.requires:
            if required not in names[:position]:
                yield _requirement(app, required, required in names, where)


def _twice(app: AppConfig, other: AppConfig, where: Location | None) -> AppError:
    if app.name == other.name:
        message, hint = f"the app {app.name!r} is installed twice", "remove one of the entries"
    else:
        message = f"the apps {other.name!r} and {app.name!r} share the label {app.label!r}"
        hint = "set another `label` in one AppConfig"
    return AppError(message, code="apps.E004", hint=hint, where=where)


def _requirement(app: AppConfig, required: str, late: bool, where: Location | None) -> AppError:
    problem = "which stands after it" if late else "which is not installed"
    return AppError(
        f"the app {app.name!r} requires {required!r}, {problem}",
        code="apps.E007",
        hint=f'put "{required}" before "{app.name}" in INSTALLED_APPS',
        where=where,
    )
