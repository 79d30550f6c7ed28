"""The reference pages have an entry for everything there is, and for nothing else."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import sys
import tomllib
import typing
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import click
import pytest
from packaging.requirements import Requirement

import fastforge.contrib
from fastforge.apps import AppConfig
from fastforge.commands import CommandFile, each_command, find_commands
from fastforge.conf import REQUIRED, App, Section, Setting
from fastforge.core.apps import CoreConfig
from fastforge.management.parameters import form_of
from tests.processes import run
from tests.source import ROOT, modules

from .markdown import DOCS, Heading, Page

REFERENCE = DOCS / "reference"
SETTINGS = Page(REFERENCE / "settings.md")
ERRORS = Page(REFERENCE / "errors.md")
CHECKS = Page(REFERENCE / "checks.md")
EXTRAS = Page(REFERENCE / "extras.md")
NAMES = Page(REFERENCE / "names.md")
COMMANDS = Page(DOCS / "command-line.md")

PUBLIC = (
    "fastforge",
    "fastforge.apps",
    "fastforge.asgi",
    "fastforge.cache",
    "fastforge.channels",
    "fastforge.checks",
    "fastforge.commands",
    "fastforge.components",
    "fastforge.conf",
    "fastforge.contrib.arq",
    "fastforge.contrib.auth",
    "fastforge.contrib.auth.api.mail",
    "fastforge.contrib.auth.api.registration",
    "fastforge.contrib.auth.default_user",
    "fastforge.contrib.auth.external",
    "fastforge.contrib.auth.testing",
    "fastforge.contrib.db",
    "fastforge.contrib.db.pagination",
    "fastforge.contrib.db.testing",
    "fastforge.contrib.http",
    "fastforge.contrib.jobs",
    "fastforge.contrib.mail",
    "fastforge.contrib.mail.testing",
    "fastforge.contrib.prometheus",
    "fastforge.contrib.ratelimit",
    "fastforge.contrib.redis",
    "fastforge.contrib.sessions",
    "fastforge.contrib.static",
    "fastforge.contrib.telemetry",
    "fastforge.contrib.templates",
    "fastforge.exceptions",
    "fastforge.lifecycle",
    "fastforge.observability",
    "fastforge.observability.events",
    "fastforge.observability.failures",
    "fastforge.observability.metrics",
    "fastforge.observability.redaction",
    "fastforge.offloading",
    "fastforge.server",
    "fastforge.signing",
    "fastforge.tasks",
    "fastforge.test",
    "fastforge.test.channels",
    "fastforge.test.proxy",
    "fastforge.transport",
    "fastforge.web",
)

_CODE = re.compile(r"[a-z]+\.[EWI]\d{3}")
_SPAN = re.compile(r"`([^`]+)`")


@cache
def configs() -> tuple[AppConfig, ...]:
    """The apps that fastforge brings."""
    found: list[AppConfig] = [CoreConfig(App("fastforge.core"))]
    for folder in fastforge.contrib.__path__:
        for file in sorted(Path(folder).glob("**/apps.py")):
            inner = ".".join(file.relative_to(folder).parent.parts)
            module = importlib.import_module(f"fastforge.contrib.{inner}.apps")
            classes = filter(inspect.isclass, vars(module).values())
            own = (each for each in classes if each.__module__ == module.__name__)
            found.extend(each(App(each.name)) for each in own if issubclass(each, AppConfig))
    return tuple(found)


def first_column(heading: Heading) -> list[str]:
    """The code spans in the first cells of the tables below a heading."""
    return [name for row in heading.rows() for name in _SPAN.findall(row[0])]


def coded_headings(page: Page) -> list[str]:
    return [heading.name for heading in page.headings() if heading.text.startswith("`")]


# --- settings ------------------------------------------------------------------------------------

PLAIN = "Plain"


def declared_settings() -> dict[str, Setting]:
    declared = [setting for config in configs() for setting in config.settings]
    found = [each if isinstance(each, Setting) else Setting.of(each) for each in declared]
    return {setting.name: setting for setting in found}


def section_of(type_: Any) -> type[Section] | None:
    """The section that a type is, or holds."""
    if inspect.isclass(type_) and issubclass(type_, Section):
        return type_
    inner = (section_of(each) for each in typing.get_args(type_))
    return next((section for section in inner if section), None)


def sections() -> dict[str, type[Section]]:
    found = {name: section_of(setting.type) for name, setting in declared_settings().items()}
    return {name: section for name, section in found.items() if section}


def test_the_reference_has_every_setting_and_no_other() -> None:
    plain = [name for name in declared_settings() if name not in sections()]
    assert sorted(first_column(SETTINGS.heading(PLAIN))) == sorted(plain)
    assert sorted(coded_headings(SETTINGS)) == sorted(sections())


@pytest.mark.parametrize("name", sorted(sections()))
def test_the_reference_has_every_field_of_a_section(name: str) -> None:
    fields = list(sections()[name].model_fields)
    assert first_column(SETTINGS.heading(name)) == fields


@pytest.mark.parametrize("name", sorted(sections()))
def test_the_reference_has_the_defaults_of_a_section(name: str) -> None:
    wrong: list[str] = []
    fields = sections()[name].model_fields
    for row in SETTINGS.heading(name).rows():
        field = fields[_SPAN.findall(row[0])[0]]
        default = "required" if field.is_required() else f"`{field.default!r}`"
        if not row[1].startswith(default):
            wrong.append(f"{row[0]}: {default} is written as {row[1]}")
    assert wrong == []


def test_the_reference_tells_what_a_plain_setting_defaults_to() -> None:
    wrong: list[str] = []
    settings = declared_settings()
    for row in SETTINGS.heading(PLAIN).rows():
        setting = settings[_SPAN.findall(row[0])[0]]
        default = setting.default
        value = default("production") if callable(default) else default
        shown = "required" if default is REQUIRED else f"`{value!r}`"
        if not row[1].startswith(shown):
            wrong.append(f"{row[0]}: {shown} is written as {row[1]}")
    assert wrong == []


# --- commands ------------------------------------------------------------------------------------


@cache
def commands() -> dict[str, CommandFile]:
    found = find_commands((config.label, config.commands) for config in configs())
    return {command.name: command for command in each_command(found)}


def typed(file: CommandFile) -> Iterator[str]:
    """What can be typed after a command, as `--help` shows it."""
    for parameter in form_of(file.load()).parameters:
        if isinstance(parameter, click.Option):
            yield from (*parameter.opts, *parameter.secondary_opts)
        else:
            yield parameter.name.upper() if parameter.name else ""


def test_the_reference_has_every_command_and_no_other() -> None:
    assert sorted(coded_headings(COMMANDS)) == sorted(commands())


@pytest.mark.parametrize("name", sorted(commands()))
def test_the_reference_has_every_option_of_a_command(name: str) -> None:
    documented = first_column(COMMANDS.heading(name))
    assert sorted(documented) == sorted(typed(commands()[name]))


def test_the_reference_has_the_options_before_the_command() -> None:
    done = run([sys.executable, "-m", "fastforge", "--help"], cwd=REFERENCE)
    there = {*re.findall(r"--[a-z-]+", done.stdout)}
    assert {*first_column(COMMANDS.heading("Options"))} == there


# --- errors and checks ---------------------------------------------------------------------------


@cache
def calls() -> tuple[tuple[str, ast.Call], ...]:
    """Every call that is given a code or an id, with it."""
    found: list[tuple[str, ast.Call]] = []
    for module in modules():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call):
                found.extend((code, node) for code in _codes_of(node))
    return tuple(found)


def _codes_of(call: ast.Call) -> Iterator[str]:
    for argument in (*call.args, *(keyword.value for keyword in call.keywords)):
        text = argument.value if isinstance(argument, ast.Constant) else None
        if isinstance(text, str) and _CODE.fullmatch(text):
            yield text


@cache
def codes() -> frozenset[str]:
    nodes = (node for module in modules() for node in ast.walk(module.tree))
    texts = (node.value for node in nodes if isinstance(node, ast.Constant))
    return frozenset(text for text in texts if isinstance(text, str) and _CODE.fullmatch(text))


def check_ids() -> set[str]:
    return {code for code, call in calls() if ast.unparse(call.func) == "Message"}


def entries(page: Page) -> list[str]:
    return [heading.text for heading in page.headings() if heading.level == 3]


def test_the_reference_has_every_error_code_once_and_no_other() -> None:
    assert sorted(entries(ERRORS)) == sorted(codes() - check_ids())


def test_the_reference_has_every_check_once_and_no_other() -> None:
    assert sorted(entries(CHECKS)) == sorted(check_ids())


SPAN = re.compile(r"`+ ?(.*?) ?`+")


def examples(heading: Heading) -> list[str]:
    """The lines that an entry gives as examples: whole code spans that have the code."""
    spans = (SPAN.fullmatch(line) for line in heading.body)
    return [span[1] for span in spans if span and heading.text in span[1]]


def entry_headings() -> list[Heading]:
    return [
        heading for page in (ERRORS, CHECKS) for heading in page.headings() if heading.level == 3
    ]


@pytest.mark.parametrize("heading", entry_headings(), ids=lambda heading: heading.text)
def test_an_entry_explains_shows_and_cures(heading: Heading) -> None:
    prose = [line for line in heading.body if line and not SPAN.fullmatch(line)]
    (example,) = examples(heading)
    assert prose
    says_itself_what_to_do = "; " in example
    assert says_itself_what_to_do or any(line.startswith("Cure: ") for line in prose)


@pytest.mark.parametrize("heading", entry_headings(), ids=lambda heading: heading.text)
def test_an_example_is_what_the_program_says(heading: Heading) -> None:
    """Its words are those of the source; what the source fills in may be anything."""
    patterns = [_pattern(call) for code, call in calls() if code == heading.text]
    line = examples(heading)[0]
    # A code without a call of its own is handed on as a value, its message with it.
    assert not patterns or any(re.search(pattern, line) for pattern in patterns), patterns


def _pattern(call: ast.Call) -> str:
    """The message of an error or a check as a regular expression."""
    named = {keyword.arg: keyword.value for keyword in call.keywords}
    message = named.get("text") or (call.args[0] if call.args else named.get("detail"))
    return _text_pattern(message) if message is not None else ""


def _text_pattern(node: ast.AST) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return "" if _CODE.fullmatch(node.value) else re.escape(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(map(_text_pattern, node.values))
    if isinstance(node, ast.IfExp):
        return f"(?:{_text_pattern(node.body)}|{_text_pattern(node.orelse)})"
    return ".*"


# --- extras and names ----------------------------------------------------------------------------


def test_the_reference_has_every_package_that_is_asked_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert packages_in("Base") == names_of(project["dependencies"])
    extras = project["optional-dependencies"]
    assert sorted(coded_headings(EXTRAS)) == sorted(extras)
    for extra, requirements in extras.items():
        assert packages_in(extra) == names_of(requirements) - {project["name"]}


def packages_in(heading: str) -> set[str]:
    return set(first_column(EXTRAS.heading(heading)))


def names_of(requirements: Iterable[str]) -> set[str]:
    return {Requirement(requirement).name for requirement in requirements}


def test_the_reference_has_the_public_modules() -> None:
    assert coded_headings(NAMES) == list(PUBLIC)


@pytest.mark.parametrize("name", PUBLIC)
def test_the_reference_has_every_public_name(name: str) -> None:
    documented = first_column(NAMES.heading(name))
    assert sorted(documented) == sorted(importlib.import_module(name).__all__)


def test_what_is_looked_at_before_a_deployment_is_in_the_reference() -> None:
    page = Page(DOCS / "checks.md")
    groups = [*page.headings()]
    first = next(index for index, each in enumerate(groups) if "Before a deployment" in each.text)
    tables = groups[first + 1 : first + 6]
    ids = [name for table in tables for name in first_column(table) if _CODE.fullmatch(name)]
    assert len(ids) == len(set(ids)) > 80
    assert set(ids) <= set(entries(CHECKS))
