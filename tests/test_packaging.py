"""What people install: its contents, its public names, and what importing it costs."""

from __future__ import annotations

import ast
import importlib
import json
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from .processes import run
from .source import PACKAGE, ROOT, SOURCE, Module, absolute, modules
from .wheel import build_wheel

HEAVY = {
    "alembic",
    "arq",
    "asyncpg",
    "fastapi",
    "httpx",
    "psycopg",
    "redis",
    "sqlalchemy",
    "starlette",
    "uvicorn",
}
CONTRIB = PACKAGE / "contrib"


# --- the wheel -----------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    """The wheel, as people install it."""
    with zipfile.ZipFile(build_wheel(tmp_path_factory.mktemp("wheel"))) as archive:
        yield archive


def test_the_wheel_holds_every_file_of_the_package(wheel: zipfile.ZipFile) -> None:
    """`py.typed`, the templates and the migrations among them, whatever .gitignore says."""
    in_tree = {
        str(path.relative_to(SOURCE))
        for path in PACKAGE.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    in_wheel = {name for name in wheel.namelist() if not name.split("/")[0].endswith(".dist-info")}
    assert in_wheel == in_tree
    assert "fastforge/py.typed" in in_wheel


def test_the_wheel_brings_both_commands_and_the_licence(wheel: zipfile.ZipFile) -> None:
    metadata = {Path(name).name: name for name in wheel.namelist() if ".dist-info/" in name}
    commands = wheel.read(metadata["entry_points.txt"]).decode()
    assert "fastforge = fastforge.__main__:main" in commands
    assert "manage = fastforge.management.cli:main" in commands
    assert "fastforge contributors" in wheel.read(metadata["LICENSE"]).decode()


@pytest.mark.parametrize("name", ["fastforge.__main__", "fastforge.management.cli"])
def test_both_commands_lead_to_a_function(name: str) -> None:
    assert callable(importlib.import_module(name).main)


# --- public names --------------------------------------------------------------------------------


def bound_names(module: Module, *, own: bool) -> Iterator[str]:
    """The public names that a package binds, the lazy ones too; `own`: from its own modules."""
    for node in exporting_statements(module.tree):
        if isinstance(node, ast.ImportFrom):
            base = absolute(module, node)
            is_own = f"{base}.".startswith(f"{module.name}.") and not is_private(base)
            if is_own or not own:
                yield from (alias.asname or alias.name for alias in node.names)
        elif isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
        elif isinstance(node, ast.Assign):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id


def is_private(module_name: str) -> bool:
    return module_name.rsplit(".", 1)[-1].startswith("_")


def exporting_statements(tree: ast.Module) -> Iterator[ast.stmt]:
    """Top-level statements, those under `if TYPE_CHECKING` too: they declare the lazy names."""
    for node in tree.body:
        yield from node.body if isinstance(node, ast.If) else [node]


def public_names(module: Module, *, own: bool) -> set[str]:
    return {name for name in bound_names(module, own=own) if not name.startswith("_")}


def packages_with_names() -> list[Module]:
    return [module for module in modules() if module.is_package and public_names(module, own=True)]


def as_ruff_sorts(name: str) -> tuple[int, str]:
    """Constants, then classes, then the rest: the order that the linter writes."""
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2
    return kind, name


@pytest.mark.parametrize("module", packages_with_names(), ids=lambda module: module.name)
def test_a_package_declares_exactly_what_it_offers(module: Module) -> None:
    """What it takes from its own modules; a helper or a name from elsewhere may be left out."""
    declared = importlib.import_module(module.name).__all__
    assert declared == sorted(set(declared), key=as_ruff_sorts)
    assert public_names(module, own=True) - set(declared) == set()
    assert set(declared) - public_names(module, own=False) == set()


@pytest.mark.parametrize("module", packages_with_names(), ids=lambda module: module.name)
def test_every_declared_name_is_there(module: Module) -> None:
    package = importlib.import_module(module.name)
    assert [name for name in package.__all__ if not hasattr(package, name)] == []


# --- the cost of an import -----------------------------------------------------------------------


def light_modules() -> list[str]:
    """What reading a settings module may import."""
    names = ["fastforge", "fastforge.conf", "fastforge.apps", "fastforge.exceptions"]
    for folder in sorted(path for path in CONTRIB.iterdir() if (path / "__init__.py").exists()):
        names.append(f"fastforge.contrib.{folder.name}")
        declarations = [name for name in ("apps", "settings") if (folder / f"{name}.py").exists()]
        names += [f"fastforge.contrib.{folder.name}.{name}" for name in declarations]
    return names


@pytest.mark.parametrize("name", light_modules())
def test_reading_settings_imports_no_framework_and_no_service(name: str) -> None:
    program = f"import json, sys; import {name}; print(json.dumps(sorted(sys.modules)))"
    result = run([sys.executable, "-c", program])
    assert result.returncode == 0, result.stderr
    assert HEAVY.intersection(json.loads(result.stdout)) == set()


def test_the_command_line_shows_its_help_without_the_framework() -> None:
    program = (
        "import json, sys\n"
        "from fastforge.__main__ import main\n"
        "sys.argv = ['fastforge', '--help']\n"
        "try: main()\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "print(json.dumps(sorted(sys.modules)))"
    )
    result = run([sys.executable, "-c", program])
    assert result.returncode == 0, result.stderr
    assert HEAVY.intersection(json.loads(result.stdout.splitlines()[-1])) == set()


def test_every_package_has_a_lowest_and_a_highest_version() -> None:
    """Nothing that was published after a release of ours is taken as tested with it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [project["dependencies"], *project["optional-dependencies"].values()]
    requirements = [Requirement(text) for texts in asked for text in texts]
    ours = project["name"]
    for requirement in requirements:
        operators = {each.operator for each in requirement.specifier}
        assert requirement.name == ours or {">=", "<"} <= operators, requirement
