"""Small pure helpers: suggestions and what is masked."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fastforge import _utils
from fastforge._modules import find_module, import_object
from fastforge._utils import (
    counted,
    did_you_mean,
    import_hint,
    missing_extra,
    nearest,
    printable,
    redact,
    told,
    where_written,
    without_partials,
)
from fastforge.exceptions import Location
from tests.folder import ProjectFolder


@pytest.mark.parametrize(
    ("typed", "candidates", "found"),
    [
        ("ALOWED_HOSTS", ["ALLOWED_HOSTS", "DEBUG"], "ALLOWED_HOSTS"),
        ("debug", ["DEBUG"], "DEBUG"),
        ("prod", ["development", "test", "production"], "production"),
        ("pro", ["production", "properties"], None),
        ("xyz", ["production"], None),
    ],
)
def test_the_nearest_name_is_found(typed: str, candidates: list[str], found: str | None) -> None:
    assert nearest(typed, candidates) == found


def test_a_suggestion_is_a_question_or_nothing() -> None:
    assert did_you_mean("chek", ["check"]) == "did you mean 'check'?"
    assert did_you_mean("zzz", ["check"]) == ""


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("postgresql://shop:s3cret@db/shop", "postgresql://shop:***@db/shop"),
        ("redis://:s3cret@cache:6379/0", "redis://:***@cache:6379/0"),
        ("postgresql://u:p@ss@db/x", "postgresql://u:***@db/x"),
        ("postgresql://u:p/s@db/x", "postgresql://u:***@db/x"),
        ("postgresql://u:p/s@s@db/x", "postgresql://u:***@db/x"),
        ("http://127.0.0.1:8000/@ada", "http://127.0.0.1:8000/@ada"),
        ("connect(password='s3cret', host=db)", "connect(password='***', host=db)"),
        ("API_KEY: abc123", "API_KEY: ***"),
        ("https://example.com/a:b", "https://example.com/a:b"),
    ],
)
def test_what_looks_like_a_password_is_masked(text: str, masked: str) -> None:
    assert redact(text) == masked


def test_an_object_is_imported_by_either_form_of_its_path() -> None:
    assert import_object("collections.abc:Mapping") is import_object("collections.abc.Mapping")


def test_a_missing_extra_gives_the_install_line() -> None:
    error = missing_extra("postgres", "asyncpg")
    assert 'pip install "fastforge-framework[postgres]"' in str(error)
    assert isinstance(error, ImportError)


def failure(source: str) -> BaseException:
    with pytest.raises((ImportError, NameError, RuntimeError, TypeError)) as caught:
        exec(compile(source, "shop.py", "exec"), {})
    return caught.value


@pytest.mark.parametrize(
    ("source", "hint"),
    [
        ("from collections.abx import Mapping", "did you mean 'collections.abc'?"),
        (
            "import collections.nothing_like_it",
            "create 'collections.nothing_like_it' or mend the import",
        ),
        ("import nowhere_to_be_found", "install 'nowhere_to_be_found' or mend the import"),
        ("from collections.abc import Maping", "did you mean 'Mapping'?"),
        ("import os as systm\nsystem", "did you mean 'systm'?"),
        ("pritn", "did you mean 'print'?"),
        ("from fastforge.conf import App\nApp('shop', prefx='/shop')", "did you mean 'prefix'?"),
        ("def call(*, item): ...\ncall(itme=1)", "did you mean 'item'?"),
        (
            "from fastapi.dependencies.utils import multipart_not_installed_error as text\n"
            "raise RuntimeError(text)",
            'install it with: pip install "fastforge-framework[forms]"',
        ),
    ],
)
def test_what_an_import_most_likely_meant_is_said(source: str, hint: str) -> None:
    assert import_hint(failure(source)).startswith(hint)


def test_a_module_is_found_without_importing_what_it_lies_in(tmp_path: Path) -> None:
    for path in ("parcel/__init__.py", "parcel/plain/deep.py", "parcel/module.py"):
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("raise RuntimeError", encoding="utf-8")
    sys.path.insert(0, str(tmp_path))
    try:
        inside = ("", ".plain", ".plain.deep", ".module", ".module.x", ".no")
        found = {name: find_module(f"parcel{name}") for name in inside}
        assert not any(name.startswith("parcel") for name in sys.modules)
    finally:
        sys.path.remove(str(tmp_path))
    origins = {name: spec.origin for name, spec in found.items() if spec is not None}
    assert origins == {
        "": str(tmp_path / "parcel/__init__.py"),
        ".plain": None,  # a folder without `__init__.py`
        ".plain.deep": str(tmp_path / "parcel/plain/deep.py"),
        ".module": str(tmp_path / "parcel/module.py"),
    }


@pytest.mark.parametrize("name", ["", ".", "os.", "email..mime", "os.path.x", "no_such_package.x"])
def test_what_is_no_name_of_a_module_is_not_found(name: str) -> None:
    assert find_module(name) is None


def keeping(function: Callable[[], None]) -> Callable[[], None]:
    @functools.wraps(function)
    def around() -> None:
        function()

    return around


@keeping
def kept() -> None: ...


def made_by_a_program() -> Any:
    namespace: dict[str, Any] = {}
    exec("def made(): ...", namespace)
    return namespace["made"]


@pytest.mark.parametrize("value", [kept, keeping, ProjectFolder])
def test_functions_and_classes_are_found_where_they_are_written(value: Any) -> None:
    behind = inspect.unwrap(value)
    lines = inspect.getsourcelines(behind)[1]
    assert where_written(value) == Location(inspect.getfile(behind), lines)


@pytest.mark.parametrize("value", [print, int, made_by_a_program(), type("Made", (), {}), 7])
def test_what_no_file_has_is_written_nowhere(value: Any) -> None:
    assert where_written(value) is None


def test_a_package_that_begins_with_our_name_is_the_users(tmp_path: Path) -> None:
    ours = Path(_utils.__file__)
    assert not _utils.is_written_by_the_user(str(ours))
    beside = tmp_path / "fastforge_shop" / "routes.py"
    beside.parent.mkdir()
    beside.touch()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_utils, "__file__", str(tmp_path / "fastforge" / "_utils.py"))
        assert _utils.is_written_by_the_user(str(beside))


def test_a_text_cannot_steer_a_terminal_nor_pass_for_another_line() -> None:
    assert printable("a\x1b[2Jb\nc\td") == "a\\x1b[2Jb\\nc    d"


def test_an_error_is_told_whose_text_cannot_be_had() -> None:
    class Broken(Exception):
        def __str__(self) -> str:
            return str(1 // 0)

    assert told(Broken()) == "Broken: <its text cannot be had: ZeroDivisionError>"


def test_partials_of_partials_are_looked_through() -> None:
    assert without_partials(functools.partial(functools.partial(kept))) is kept
    assert without_partials(kept) is kept


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 jobs are left"),
        (1, "1 job is left"),
        (2, "2 jobs are left"),
        (1000, "1,000 "),
    ],
)
def test_one_is_told_as_one(count: int, text: str) -> None:
    assert counted(count, "job is left", "jobs are left").startswith(text)
    assert counted(count, "job") == f"{count:,} job{'' if count == 1 else 's'}"
