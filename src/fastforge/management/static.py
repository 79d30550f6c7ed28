"""Static reading: the commands of a project, told from its files without running any of them.

`--help` and shell completion only list commands, the latter at each key press. Running the settings
for that imports pydantic and whatever else they use, several times the cost of the whole list. So
what is plainly written is read as text: INSTALLED_APPS assigned once, as a list of names and
`App("...")`, and in each app's `apps.py` the `name`, `label` and `commands` of its AppConfig.

The answer is either what the full reading would give, were the settings without a mistake, or None:
wherever a file could mean something else than it seems to say, nothing is guessed, and whoever asks
reads the project in full.
"""

from __future__ import annotations

import ast
import importlib.util
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from .._modules import find_module
from ..commands import CommandFile, CommandGroup, find_commands
from ..conf.source import settings_files
from ..core.identity import COMMANDS, LABEL

__all__ = ["static_commands"]

INSTALLED_APPS: Final = "INSTALLED_APPS"
WAYS_TO_ASSIGN_UNSEEN: Final = frozenset(
    {"__dict__", "__setattr__", "_getframe", "eval", "exec", "f_globals", "getattr", "globals"}
    | {"locals", "setattr", "vars"}
)
CONFIG_FIELDS: Final = frozenset({"name", "label", "commands"})

_CONF: Final = frozenset({"fastforge", "fastforge.conf"})
_HARMLESS: Final = (
    ast.AnnAssign | ast.Assign | ast.AsyncFunctionDef | ast.Expr | ast.FunctionDef | ast.Pass
)


def static_commands(
    module: str, *, named_by: str
) -> Mapping[str, CommandFile | CommandGroup] | None:
    """Return the commands of a project by name; None when its files do not plainly say them.

    Args:
        module: The settings module.
        named_by: What named it, for the error.

    Raises:
        SettingsError: A settings module does not exist or is not valid Python.
        ComponentError: Two apps have a command of one name.
    """
    modules = {
        name: (tree, name if os.path.basename(file) == "__init__.py" else name.rpartition(".")[0])
        for name, file, tree in settings_files(module, named_by=named_by, find=find_module)
    }
    names = _installed(modules)
    if names is None:
        return None
    found = [_commands_of(name) for name in names]
    packages = [(LABEL, COMMANDS), *(package for package in found if package is not None)]
    labels = {label for label, _ in packages}
    # A missing app or a label twice is a mistake, which the full reading explains.
    return find_commands(packages) if len(labels) == len(found) + 1 else None


# --- the settings --------------------------------------------------------------------------------


def _installed(modules: Mapping[str, tuple[ast.Module, str]]) -> list[str] | None:
    """Return the names in INSTALLED_APPS.

    Args:
        modules: By name each settings module's tree and the package that its dots lead from.
    """
    if not all(_is_plain(tree, package, modules) for tree, package in modules.values()):
        return None
    trees = [tree for tree, _ in modules.values()]
    mentions = [tree for tree in trees for _ in _mentions(tree, {INSTALLED_APPS})]
    if not mentions:
        return []
    value = _value(mentions[0])
    if len(mentions) > 1 or not isinstance(value, ast.List | ast.Tuple):
        return None
    constructors = _imported(mentions[0], _CONF, "App")
    if any(_binds_otherwise(tree, constructors) for tree in trees):
        return None
    names = [_app_name(element, constructors) for element in value.elts]
    known = [name for name in names if name is not None]
    return known if len(known) == len(names) else None


def _is_plain(tree: ast.Module, package: str, modules: Collection[str]) -> bool:
    """Return whether no other module and no trick can give a settings module an INSTALLED_APPS."""
    if _assigns_unseen(tree) or any(_uses(tree, {"__all__"})):
        return False
    return all(
        node in tree.body and _absolute(node, package) in modules
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.names[0].name == "*"
    )


def _assigns_unseen(tree: ast.Module) -> bool:
    return any(_uses(tree, WAYS_TO_ASSIGN_UNSEEN))


def _mentions(tree: ast.Module, words: Collection[str]) -> Iterator[ast.AST]:
    """Yield every node that says one of some words: names, attributes, texts, what binds one."""
    for node in ast.walk(tree):
        if any(isinstance(word, str) and word in words for word in _said(node)):
            yield node


def _uses(tree: ast.Module, words: Collection[str]) -> Iterator[ast.AST]:
    """Yield the mentions that are code, not texts."""
    return (node for node in _mentions(tree, words) if not isinstance(node, ast.Constant))


def _said(node: ast.AST) -> Iterator[object]:
    for _, value in ast.iter_fields(node):
        yield from value if isinstance(value, list) else [value]


def _binds_otherwise(tree: ast.Module, constructors: set[str]) -> bool:
    """Return whether a module gives the name of `App` to something else."""
    imported = {
        alias
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and _absolute(node, "") in _CONF
        for alias in node.names
        if alias.name == "App"
    }
    return any(node not in imported and not _is_read(node) for node in _uses(tree, constructors))


def _is_read(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) or (
        isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    )


def _value(tree: ast.Module) -> ast.expr | None:
    """Return what a statement of the module itself assigns to INSTALLED_APPS."""
    for statement in tree.body:
        match statement:
            case (
                ast.Assign(targets=[ast.Name(id="INSTALLED_APPS")], value=value)
                | ast.AnnAssign(target=ast.Name(id="INSTALLED_APPS"), value=value)
            ):
                return value
    return None


def _app_name(element: ast.expr, constructors: set[str]) -> str | None:
    match element:
        case ast.Constant(value=str(name)):
            return name
        case ast.Call(func=ast.Name(id=function), args=[ast.Constant(value=str(name)), *_]):
            return name if function in constructors else None
    return None


# --- an app --------------------------------------------------------------------------------------


def _commands_of(app: str) -> tuple[str, str] | None:
    """Return an app's label and commands package."""
    package = find_module(app)
    if package is None or package.submodule_search_locations is None or not _is_dotted(app):
        return None
    module = find_module(f"{app}.apps")
    if module is None:
        return _named(app, {})
    if module.origin is None or not module.origin.endswith(".py"):
        return None
    with open(module.origin, "rb") as file:
        source = file.read()
    try:
        fields = _config_fields(ast.parse(source), app)
    except SyntaxError:
        return None
    return None if fields is None or fields.get("name", app) != app else _named(app, fields)


def _is_dotted(name: str) -> bool:
    return all(part.isidentifier() for part in name.split("."))


def _named(app: str, fields: Mapping[str, str]) -> tuple[str, str]:
    """Fill in what an AppConfig leaves out, as AppConfig itself does."""
    label = fields.get("label") or app.rpartition(".")[2]
    return label, fields.get("commands") or f"{app}.commands"


def _config_fields(tree: ast.Module, app: str) -> dict[str, str] | None:
    """Return the constants that an `apps.py` gives its AppConfig, none when it defines none."""
    names = _imported(tree, {"fastforge.apps"}, "AppConfig", package=app)
    sections = _imported(tree, _CONF, "Section")
    configs: list[ast.ClassDef] = []
    for statement in tree.body:
        match statement:
            case ast.ClassDef(bases=[ast.Name(id=base)], keywords=[], decorator_list=[]) if (
                base in names
            ):
                configs.append(statement)
            case ast.ClassDef(bases=[ast.Name(id=base)]) if base in sections:
                pass
            case ast.Import() | ast.ImportFrom():
                pass
            case ast.If(test=ast.Name(id="TYPE_CHECKING"), orelse=[]):
                pass
            case _ if not isinstance(statement, _HARMLESS):
                return None
    mentions = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id in names]
    if len(configs) > 1 or len(mentions) > len(configs) or _assigns_unseen(tree):
        return None
    if not configs:
        return {}
    return None if _changes_later(tree, configs[0]) else _constants(configs[0].body)


def _changes_later(tree: ast.Module, config: ast.ClassDef) -> bool:
    """Return whether anything but its own body could give an AppConfig a field, or its name."""
    if any(node is not config for node in _uses(tree, {config.name})):
        return True
    return any(
        isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
        for node in _uses(tree, CONFIG_FIELDS)
    )


def _constants(body: Sequence[ast.stmt]) -> dict[str, str] | None:
    found: dict[str, str] = {}
    for statement in body:
        match statement:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str(text)))
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.Constant(value=str(text)))
            ) if name in CONFIG_FIELDS:
                found[name] = text
            case _ if _binds_a_field(statement) or not isinstance(statement, _HARMLESS):
                return None
    return found


def _binds_a_field(statement: ast.stmt) -> bool:
    return getattr(statement, "name", None) in CONFIG_FIELDS or any(
        isinstance(node, ast.Name) and node.id in CONFIG_FIELDS and isinstance(node.ctx, ast.Store)
        for node in ast.walk(statement)
    )


def _imported(
    tree: ast.Module, modules: Collection[str], name: str, *, package: str = ""
) -> set[str]:
    """Return what a module calls a name that it imports from one of some modules."""
    return {
        alias.asname or alias.name
        for statement in tree.body
        if isinstance(statement, ast.ImportFrom) and _absolute(statement, package) in modules
        for alias in statement.names
        if alias.name == name
    }


def _absolute(statement: ast.ImportFrom, package: str) -> str:
    relative = "." * statement.level + (statement.module or "")
    if statement.level > len(package.split(".") if package else ()):
        return relative  # beyond the top: whoever imports it will say so
    return importlib.util.resolve_name(relative, package)
