"""The signature of a command's function is its command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.folder import ProjectFolder

from .conftest import Result, Shell

HEAD = '''
"""Go."""
import enum, json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID
from fastforge.commands import Context, command

class Colour(enum.Enum):
    RED = "red"
    DARK_BLUE = 2

@command(starts="nothing")
'''


@pytest.fixture
def go(shop: ProjectFolder, manage: Shell, request: pytest.FixtureRequest) -> object:
    """Call a command with a signature, which writes what it was given."""

    def call(signature: str, *arguments: str) -> Result:
        body = "print(json.dumps({k: repr(v) for k, v in locals().items()}))"
        shop.write({"shop/notes/commands/go.py": f"{HEAD}def go({signature}):\n    {body}\n"})
        return manage("go", *arguments)

    return call


@pytest.mark.parametrize(
    ("signature", "arguments", "values"),
    [
        ("name: str", ["x"], {"name": "'x'"}),
        ("name", ["x"], {"name": "'x'"}),
        ("count=3", ["--count", "4"], {"count": "4"}),
        ("count: int = 3", [], {"count": "3"}),
        ("count: int = 3", ["--count=-4"], {"count": "-4"}),
        ("*, name: str", ["--name", "x"], {"name": "'x'"}),
        ("page_size: float = 1", ["--page-size", "2.5"], {"page_size": "2.5"}),
        ("from_: str = ''", ["--from", "x"], {"from_": "'x'"}),
        ("dry_run: bool = False", ["--dry-run"], {"dry_run": "True"}),
        ("dry_run: bool", [], {"dry_run": "False"}),
        ("dry_run: bool", ["--dry-run"], {"dry_run": "True"}),
        ("colour: bool = True", ["--no-colour"], {"colour": "False"}),
        ("colour: bool | None = None", [], {"colour": "None"}),
        ("colour: bool | None = None", ["--no-colour"], {"colour": "False"}),
        ("mode: Literal['fast', 'slow']", ["slow"], {"mode": "'slow'"}),
        ("mode: Literal[1, 2] = 1", ["--mode", "2"], {"mode": "2"}),
        ("names: tuple[str, ...]", ["a", "b"], {"names": "('a', 'b')"}),
        ("names: tuple[int, ...] = (1,)", [], {"names": "(1,)"}),
        ("names: tuple[int, ...] = ()", ["1", "2"], {"names": "(1, 2)"}),
        (
            "*, names: tuple[str, ...] = ()",
            ["--names", "a", "--names", "b"],
            {"names": "('a', 'b')"},
        ),
        ("names: list[int] = [7]", [], {"names": "[7]"}),
        ("names: list[int]", ["--names", "1", "--names", "2"], {"names": "[1, 2]"}),
        ("path: Path", ["a/b"], {"path": repr(Path("a/b"))}),
        ("colour: Colour", ["dark_blue"], {"colour": "<Colour.DARK_BLUE: 2>"}),
        ("colour: Colour = Colour.RED", [], {"colour": "<Colour.RED: 'red'>"}),
        ("day: date", ["2026-02-28"], {"day": "datetime.date(2026, 2, 28)"}),
        ("at: datetime", ["2026-02-28T01:02"], {"at": "datetime.datetime(2026, 2, 28, 1, 2)"}),
        ("price: Decimal", ["1.50"], {"price": "Decimal('1.50')"}),
        ("limit: int | None = None", ["--limit", "5"], {"limit": "5"}),
        ("limit: Annotated[int, 'How many.'] = 1", [], {"limit": "1"}),
        ("name: str = 'me', /", ["you"], {"name": "'you'"}),
        ("name: str = 'me', /", [], {"name": "'me'"}),
        (
            "a: str = 'a', b: int = 1, /, *, c: int = 2",
            ["x", "-c", "3"],
            {"a": "'x'", "b": "1", "c": "3"},
        ),
        ("help: str = ''", ["--help", "x"], {"help": "'x'"}),
    ],
)
def test_values(signature: str, arguments: list[str], values: dict[str, str], go: object) -> None:
    result: Result = go(signature, *arguments)  # type: ignore[operator]
    assert result.code == 0, result.err
    assert json.loads(result.out) == values


@pytest.mark.parametrize(
    ("signature", "arguments", "message"),
    [
        ("name: str", [], "[management.E003] `manage go` needs NAME;"),
        ("*, name: str", [], "[management.E003] `manage go` needs --name;"),
        ("names: tuple[str, ...]", [], "[management.E003] `manage go` needs NAMES;"),
        ("count: int", ["x"], "COUNT of `manage go`: 'x' is no integer, write for example 10;"),
        ("day: date", ["31.1."], "'31.1.' is no date, write for example 2026-01-31;"),
        ("mode: Literal['fast', 'slow']", ["fats"], "is none of fast, slow, did you mean 'fast'?;"),
        ("price: Decimal", ["x"], "'x' is no number, write for example 1.50;"),
    ],
)
def test_values_that_do_not_fit(
    signature: str, arguments: list[str], message: str, go: object
) -> None:
    result: Result = go(signature, *arguments)  # type: ignore[operator]
    assert message in result.err
    assert (result.code, result.err.count("\n")) == (2, 1)


@pytest.mark.parametrize(
    ("signature", "message"),
    [
        ("what: dict[str, int]", "the parameter what: dict[str, int] of go has no form"),
        ("what: Any", "the parameter what: Any of go has no form"),
        ("what: int | str", "the parameter what: int | str of go has no form"),
        ("what: Context | None", "the parameter what: Context of go has no form"),
        ("*what: str", "the parameter what: str of go has no form"),
        ("what: tuple[str, int]", "the parameter what: tuple[str, int] of go has no form"),
        ("what: list[list[str]]", "the parameter what: list[list[str]] of go has no form"),
    ],
)
def test_a_type_without_a_form_is_named(signature: str, message: str, go: object) -> None:
    result: Result = go(signature)  # type: ignore[operator]
    assert result.err.startswith("error: [management.E007] shop/notes/commands/go.py:14: ")
    assert f"{message} on the command line; use str, int," in result.err
    assert (result.code, result.err.count("\n")) == (2, 1)


def test_a_dependency_needs_resources(shop: ProjectFolder, manage: Shell) -> None:
    shop.write(
        {
            "shop/notes/commands/go.py": '''
                """Go."""
                from typing import Annotated
                from fastforge import injected
                from fastforge.commands import command
                from fastforge.lifecycle import setting

                @command(starts="project")
                def go(debug: Annotated[bool, setting("DEBUG")] = injected) -> None: ...
                '''
        }
    )
    result = manage("go")
    assert "management.E007" in result.err
    assert 'is given dependencies is declared with @command(starts="resources")' in result.err


def test_what_is_injected_is_not_told_by_the_name_of_its_class(
    shop: ProjectFolder, manage: Shell
) -> None:
    shop.write(
        {
            "shop/notes/commands/go.py": '''
                """Go."""
                from typing import Annotated
                import fastapi
                from fastforge.commands import command

                class Depends: ...

                @command(starts="nothing")
                def go(name: Annotated[str, Depends(), "Whom."]) -> None: print(name)
                '''
        }
    )
    assert manage("go", "me").out == "me\n"


def test_a_name_that_only_type_checkers_see_is_explained(
    shop: ProjectFolder, manage: Shell
) -> None:
    shop.write(
        {
            "shop/notes/commands/go.py": '''
                """Go."""
                from __future__ import annotations
                from fastforge.commands import command

                @command(starts="nothing")
                def go(what: Missing) -> None: ...
                '''
        }
    )
    result = manage("go")
    assert result.err == (
        "error: [management.E006] shop/notes/commands/go.py:5: the annotations of go name"
        " 'Missing', which does not exist when the program runs;"
        " import it outside `if TYPE_CHECKING`\n"
    )
