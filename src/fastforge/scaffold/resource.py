"""Resource: a table with the routes that create, list, show, change and delete its rows."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ..exceptions import CommandError
from .app import AppPlace, check_app_name, check_class, render, words_of
from .changes import Change
from .fields import Field, read_fields
from .imports import names_bound
from .merging import merged
from .spelling import texts_of
from .words import Noun, in_words

__all__ = ["Resource", "read_resource", "resource_changes"]

MODULES: Final = ("models", "schemas", "routes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """What `--resource post title:str body:text` asks for.

    Args:
        noun: What one row is.
        fields: Its columns beside the primary key.
    """

    noun: Noun
    fields: tuple[Field, ...]


def read_resource(name: str, fields: Iterable[str]) -> Resource:
    """Read a resource as it is typed.

    Raises:
        CommandError: The name cannot be a model's, or there is no field.
        ErrorGroup: Every mistake in the fields.
    """
    noun = Noun(singular=in_words(name))
    check_app_name(noun.singular)
    check_class(noun, f"{noun.singular}_entry")
    read = read_fields(tuple(fields))
    if not read:
        raise CommandError(
            f"the resource {name!r} has no fields",
            code="scaffold.E012",
            hint=f"write them behind it: --resource {name} title:str body:text",
        )
    return Resource(noun=noun, fields=read)


def resource_changes(app: AppPlace, resource: Resource) -> tuple[Change, ...]:
    """Return what makes a resource part of an app, be it new or there already.

    Modules that exist are added to at their end; packages get a module of their own.

    Raises:
        CommandError: A module uses a name of the resource for something else.
    """
    homes = {module: _Home.of(app, module, resource.noun) for module in MODULES}
    values = words_of(resource.noun) | {
        "label": app.label,
        "prefix": app.prefix,
        "first": resource.fields[0].name,
        "models_module": homes["models"].seen_from(homes["routes"]),
        "schemas_module": homes["schemas"].seen_from(homes["routes"]),
        "router": _router(homes["routes"], resource.noun),
    }
    values |= texts_of(resource.noun, resource.fields, width=app.width)
    changes = []
    for module, home in homes.items():
        text = render(f"resource/{module}.py", values, width=app.width)
        changes.append(home.with_text(text, app.width))
    new = not (app.folder / "__init__.py").exists()
    if new:
        init = {"title": app.label.replace("_", " ").capitalize(), "project": _project(app)}
        text = render("app/__init__.py", init, width=app.width)
        changes.insert(0, Change(path=app.folder / "__init__.py", after=text))
    test = f"test_{app.label}.py" if new else f"test_{app.label}_{resource.noun.plural}.py"
    text = render("resource/test.py", values, width=app.width)
    return (*changes, Change(path=app.tests / test, after=text))


def _project(app: AppPlace) -> str:
    return app.name.partition(".")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Home:
    """The file that a part of a resource goes into."""

    path: Path
    module: str
    is_in_package: bool

    @classmethod
    def of(cls, app: AppPlace, module: str, noun: Noun) -> _Home:
        if (app.folder / module).is_dir():
            path = app.folder / module / f"{noun.singular}.py"
            return cls(path=path, module=f"{module}.{noun.singular}", is_in_package=True)
        return cls(path=app.folder / f"{module}.py", module=module, is_in_package=False)

    def seen_from(self, other: _Home) -> str:
        return f"{'..' if other.is_in_package else '.'}{self.module}"

    def with_text(self, text: str, width: int) -> Change:
        if self.is_in_package or not self.path.exists():
            return Change(path=self.path, after=text)
        before = self.path.read_bytes().decode()
        return Change(
            path=self.path, before=before, after=merged(self.path, before, text, width=width)
        )


def _router(home: _Home, noun: Noun) -> str:
    """Return what the router is called: beside another, after the resource."""
    if home.is_in_package or not home.path.exists():
        return "router"
    try:
        bound = names_bound(ast.parse(home.path.read_bytes()))
    except SyntaxError:
        return "router"  # told when the file is added to
    return f"{noun.plural}_router" if "router" in bound else "router"
