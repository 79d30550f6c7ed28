"""The shape of the house: layers, what a contrib app may import, no cycles, small pieces."""

from __future__ import annotations

import ast
import graphlib
import importlib
import inspect
import math
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from fastforge.apps import AppConfig
from fastforge.components import Kind

from .processes import run
from .source import PACKAGE, ROOT, SOURCE, Module, imports, modules

MODULE_LINES = 300
FUNCTION_LINES = 60
USUAL_FUNCTION_LINES = 25
USUAL_SHARE = 0.9

# Module or function to the reason why it may be longer.
LONGER_MODULES: dict[str, str] = {}
LONGER_FUNCTIONS: dict[str, str] = {}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def test_each_layer_imports_only_layers_below_it_and_core_names_no_service() -> None:
    program = Path(sys.executable).parent / "lint-imports"
    result = run([str(program), "--no-cache"], cwd=ROOT, deadline_s=300)
    assert result.returncode == 0, result.stdout + result.stderr


@cache
def contrib_apps() -> list[str]:
    """The apps below contrib, those inside of another one as well: `auth`, `auth.api.mail`."""
    contrib = PACKAGE / "contrib"
    folders = {each.parent for each in contrib.glob("**/apps.py")}
    folders |= {each.parent for each in contrib.glob("*/__init__.py")}
    return sorted(".".join(folder.relative_to(contrib).parts) for folder in folders)


def required_by(app: str) -> set[str]:
    """The contrib apps that an app's configuration names."""
    if not (PACKAGE / "contrib" / Path(*app.split(".")) / "apps.py").exists():
        return set()
    module = importlib.import_module(f"fastforge.contrib.{app}.apps")
    configurations = [
        value
        for value in vars(module).values()
        if inspect.isclass(value) and issubclass(value, AppConfig) and value is not AppConfig
    ]
    return {name for configuration in configurations for name in configuration.requires}


@cache
def collected_for(app: str) -> frozenset[str]:
    """The modules of other apps that are imported only where this one is installed.

    They have components of the kinds that it introduces.
    """
    if not (SOURCE / Path(*app.split(".")) / "kinds.py").exists():
        return frozenset()
    kinds = vars(importlib.import_module(f"{app}.kinds")).values()
    names = {kind.module for kind in kinds if isinstance(kind, Kind)}
    found = (module.name for module in modules())
    return frozenset(name for name in found if name.rpartition(".")[2] in names)


@cache
def app_of(module: str) -> str:
    """The innermost contrib app that a module belongs to."""
    name = f"{module}."
    owners = [app for app in contrib_apps() if name.startswith(f"fastforge.contrib.{app}.")]
    return max(owners, key=len, default="")


@pytest.mark.parametrize("app", contrib_apps())
def test_a_contrib_app_imports_only_contrib_apps_that_it_requires(app: str) -> None:
    allowed = {f"fastforge.contrib.{app.split('.')[0]}", *required_by(app)}
    found = [
        f"{module}:{entry.line}: {'.'.join(target)}"
        for module in modules()
        if app_of(module.name) == app
        for entry in imports(module, inside_functions=True)
        for target in [f"{entry.base}.{entry.name}".split(".")[:3]]
        if target[:2] == ["fastforge", "contrib"] and ".".join(target) not in allowed
        if module.name not in collected_for(".".join(target))
    ]
    assert found == [], f"name them in fastforge.contrib.{app}.apps: requires"


def test_no_module_imports_itself_through_others() -> None:
    graph = {module.name: set(imported_modules(module)) for module in modules()}
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        pytest.fail(f"import cycle: {' <- '.join(error.args[1])}")


def imported_modules(module: Module) -> Iterator[str]:
    """The modules of fastforge that run when this one is imported."""
    names = {other.name for other in modules()}
    for entry in imports(module, inside_functions=False):
        submodule = f"{entry.base}.{entry.name}"
        target = submodule if submodule in names else entry.base
        if target in names and target != module.name:
            yield target


def test_codes_of_mistakes_are_literals() -> None:
    """A code put together at run time would escape the reference, which is held to the source."""
    found = [
        f"{module}:{node.lineno}"
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "code" and isinstance(keyword.value, ast.JoinedStr | ast.BinOp)
    ]
    assert found == []


def test_every_module_is_small() -> None:
    found = {
        str(module): module.lines
        for module in modules()
        if module.lines > MODULE_LINES and str(module) not in LONGER_MODULES
    }
    assert found == {}


def functions() -> Iterator[tuple[str, int]]:
    """Every function with its length in lines, the docstring included."""
    for module in modules():
        for node in ast.walk(module.tree):
            if isinstance(node, Function):
                assert node.end_lineno is not None
                yield f"{module}:{node.name}", node.end_lineno - node.lineno + 1


def test_no_function_is_long() -> None:
    found = {
        name: lines
        for name, lines in functions()
        if lines > FUNCTION_LINES and name not in LONGER_FUNCTIONS
    }
    assert found == {}


def test_nine_functions_of_ten_are_short() -> None:
    lengths = sorted(lines for _, lines in functions())
    assert lengths[math.floor(len(lengths) * USUAL_SHARE)] <= USUAL_FUNCTION_LINES


def test_every_exception_from_the_shape_is_needed_and_has_a_reason() -> None:
    long_modules = {str(module) for module in modules() if module.lines > MODULE_LINES}
    long_functions = {name for name, lines in functions() if lines > FUNCTION_LINES}
    assert set(LONGER_MODULES) <= long_modules
    assert set(LONGER_FUNCTIONS) <= long_functions
    assert all({**LONGER_MODULES, **LONGER_FUNCTIONS}.values())
