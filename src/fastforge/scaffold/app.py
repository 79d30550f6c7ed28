"""NewApp: where an app of a project stands, and the files that it begins with."""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Final

from ..exceptions import CommandError
from .changes import Change
from .fields import LONGEST_NAME
from .imports import Import, rendered
from .layout import fitted
from .words import Noun

__all__ = ["TAKEN_CLASSES", "AppPlace", "check_app_name", "new_app", "render", "words_of"]

TEMPLATES: Final = Path(__file__).parent / "templates"

TAKEN_CLASSES: Final = frozenset(
    {
        "APIRouter", "Annotated", "Any", "AwareDatetime", "BaseModel", "ConfigDict", "DbSession",
        "Decimal", "Depends", "ExactAmount", "Field", "FiniteFloat", "Int32", "JSON", "LongText",
        "Mapped", "Model", "Numeric", "ShortText", "String", "Text", "TypedDict", "UUID",
    }
)  # fmt: skip
"""What the generated modules import or define: no model can be called so."""

_NAME: Final = re.compile(r"[a-z](?:[a-z0-9]|_(?=[a-z0-9]))*")


@dataclass(frozen=True, slots=True, kw_only=True)
class AppPlace:
    """Where an app stands, and what the project around it has.

    Args:
        name: The dotted name of its package.
        folder: The package's folder.
        label: The last part of its name, which its tables are called after.
        prefix: What stands before the paths of its routes.
        tests: The folder of the project's tests.
        has_database: Whether `fastforge.contrib.db` is installed.
        has_jobs: Whether `fastforge.contrib.jobs` is installed.
        width: The most characters that a line of its source may have.
    """

    name: str
    folder: Path
    label: str
    prefix: str
    tests: Path
    has_database: bool = True
    has_jobs: bool = True
    width: int = 88


def check_app_name(name: str) -> None:
    """Refuse a name that no app or resource can have.

    Raises:
        CommandError: It is no name of a package and a table, a keyword, or too long.
    """
    if not _NAME.fullmatch(name):
        raise CommandError(
            f"{name!r} cannot be the name of an app or a resource",
            code="scaffold.E010",
            hint=f"use small letters, digits and _, for example {_nearest_valid(name)}",
        )
    if keyword.iskeyword(name):
        raise CommandError(
            f"{name!r} is a keyword of Python",
            code="scaffold.E010",
            hint=f"choose another name, for example {name}_list",
        )
    if len(name) > LONGEST_NAME:
        raise CommandError(
            f"the name {name!r} has {len(name)} characters",
            code="scaffold.E010",
            hint=f"use at most {LONGEST_NAME}, so that PostgreSQL can name its tables",
        )


def _nearest_valid(name: str) -> str:
    words = re.findall(r"[a-z0-9]+", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower())
    valid = "_".join(words).lstrip("0123456789_")
    return valid if _NAME.fullmatch(valid) else "blog"


def new_app(app: AppPlace) -> tuple[Change, ...]:
    """Return the files of a new app: a model, routes, a task and a test.

    Surprises: without a database there is a route and nothing else; without the jobs table no
    task. The migration is made from the model, by whoever has loaded the project.

    Raises:
        CommandError: A model that is called after the app would hide a class that it needs.
    """
    texts = {app.folder / "__init__.py": "app/__init__.py"}
    test = app.tests / f"test_{app.label}.py"
    if app.has_database:
        noun = Noun.of_many(app.label)
        check_class(noun, f"startapp {app.label} --resource item name:str")
        modules = ("models", "tasks", "routes") if app.has_jobs else ("models", "routes")
        texts |= {app.folder / f"{module}.py": f"app/{module}.py" for module in modules}
        texts[test] = "app/test.py"
        values = words_of(noun) | _with_task(app, noun)
    else:
        texts |= {app.folder / "routes.py": "app/bare/routes.py", test: "app/bare/test.py"}
        values = {}
    values |= {
        "label": app.label,
        "prefix": app.prefix,
        "project": app.name.partition(".")[0],
        "title": app.label.replace("_", " ").capitalize(),
    }
    return tuple(
        Change(path=path, after=render(template, values, width=app.width))
        for path, template in texts.items()
    )


def check_class(noun: Noun, hint: str) -> None:
    """Refuse a noun whose class would hide one that the generated modules need.

    Raises:
        CommandError: It would.
    """
    if noun.class_name in TAKEN_CLASSES:
        raise CommandError(
            f"a model {noun.class_name} would hide the {noun.class_name} that it is made with",
            code="scaffold.E010",
            hint=f"choose another name, for example {hint}",
        )


def words_of(noun: Noun) -> dict[str, str]:
    """Return what the templates call a thing."""
    words, many = (text.replace("_", " ") for text in (noun.singular, noun.plural))
    a_noun = f"{'an' if words[0] in 'aeiou' else 'a'} {words}"
    return {
        "singular": noun.singular,
        "plural": noun.plural,
        "class_name": noun.class_name,
        "variable": noun.variable,
        "path": noun.path,
        "noun": words,
        "nouns": many,
        "Nouns": many.capitalize(),
        "a_noun": a_noun,
        "A_noun": a_noun[0].upper() + a_noun[1:],
    }


def render(template: str, values: Mapping[str, str], *, width: int) -> str:
    """Return a template with its values filled in and its lines broken.

    Args:
        template: The path of the template below this room's, without its suffix.
        values: By the names that the template uses.
        width: The most characters that a line may have.
    """
    text = (TEMPLATES / f"{template}.template").read_text(encoding="utf-8")
    filled = Template(text).substitute(values).rstrip("\n") + "\n"
    return fitted(filled, width=width)


_WORKER_TEST: Final = """

async def test_the_worker_counts_its_words(
    client: httpx.AsyncClient,
    run_command: Callable[..., Result],
) -> None:
    created = await client.post(PATH, json={"text": "three short words"})
    assert run_command("runworker", "--burst").exit_code == 0
    answer = await client.get(f"{PATH}/{created.json()['id']}")
    assert answer.json()["words"] == 3
"""


_LATER: Final = """

    `words` is there once the worker has counted them.
    """

_COUNTED: Final = """

    Its words are counted by the worker: both happen, or neither when something fails.
    """


def _with_task(app: AppPlace, noun: Noun) -> dict[str, str]:
    """Return what the templates say of the task, or do not say where there is none."""
    imports = [Import(module="httpx")]
    if app.has_jobs:
        imports += [
            Import(module="collections.abc", name="Callable"),
            Import(module="fastforge.test", name="Result"),
        ]
    call = f"    await count_words.enqueue({noun.singular}_id={noun.variable}.id)\n"
    return {
        "task_import": "from .tasks import count_words\n" if app.has_jobs else "",
        "task_call": call if app.has_jobs else "",
        "later": _LATER if app.has_jobs else "",
        "counted": _COUNTED if app.has_jobs else "",
        "and_worker": " and the worker" if app.has_jobs else "",
        "worker_test": _WORKER_TEST.rstrip("\n") if app.has_jobs else "",
        "test_imports": rendered(imports, width=app.width),
    }
