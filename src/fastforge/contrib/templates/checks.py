"""Templates that would fail when somebody first asks for them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..._utils import did_you_mean
from ...apps.folders import Folder
from ...checks import Level, Message, check
from ...exceptions import Location
from ...web.settings import Security
from .engine import is_escaped, is_text, make_engine, template_folders
from .errors import no_text, syntax_hint
from .jinja import jinja2
from .settings import Templates

if TYPE_CHECKING:
    from ...project import Project

__all__ = [
    "directories_exist",
    "pages_have_a_policy",
    "templates_are_read_once",
    "templates_can_be_read",
]


@check(tags={"templates", "settings"})
def directories_exist(project: Project) -> Iterator[Message]:
    """Find a folder that TEMPLATES names and that is not there."""
    for directory in project.settings.section(Templates).directories:
        if not (project.settings.root / directory).is_dir():
            yield Message(
                id="templates.E012",
                level=Level.ERROR,
                text=f"TEMPLATES.directories names {str(directory)!r}, which is no folder",
                hint=f"make it, or correct the name: it is relative to {project.settings.root}",
                where=project.settings.where("TEMPLATES"),
            )


@check(tags={"security", "templates"})
def templates_can_be_read(project: Project) -> Iterator[Message]:
    """Find templates that do not compile, and those that name others wrongly."""
    engine = make_engine(project.settings, project.registry)
    for folder in template_folders(project.settings):
        for name, file, content in _texts(folder):
            try:
                source = _decoded(content, name, file)
                tree = engine.parse(source, name, file)
                engine.compile(source, name, file)
            except jinja2.TemplateSyntaxError as error:
                yield _unreadable(error, engine, file)
            else:
                for other, line in _named(tree):
                    yield from _misnamed(name, other, Location(file, line), engine)


@check(tags={"security", "templates"}, deploy=True)
def pages_have_a_policy(project: Project) -> Iterator[Message]:
    """Tell that browsers would run whatever somebody has slipped into a page."""
    if not project.settings.section(Security).content_security_policy:
        yield Message(
            id="templates.W002",
            level=Level.WARNING,
            text="the project has pages, and SECURITY.content_security_policy is empty: a script"
            " that somebody has slipped into a page runs",
            hint="write \"default-src 'self'\", and see in the browser's console what it refuses",
            where=project.settings.where("SECURITY"),
        )


@check(tags={"templates"}, deploy=True)
def templates_are_read_once(project: Project) -> Iterator[Message]:
    """Tell that each page looks for changed files."""
    if project.settings.section(Templates).reloads_in("production"):
        yield Message(
            id="templates.W003",
            level=Level.WARNING,
            text="TEMPLATES.auto_reload is on: each page asks the disk for changes, on the event"
            " loop",
            hint="leave it out: it is on in development",
            where=project.settings.where("TEMPLATES"),
        )


def _texts(folder: Folder) -> Iterator[tuple[str, str, bytes]]:
    for path in sorted(folder.path.rglob("*")):
        name = path.relative_to(folder.path).as_posix()
        if not path.is_file() or any(part.startswith(".") for part in name.split("/")):
            continue
        content = path.read_bytes()
        if b"\0" not in content:  # else a picture, perhaps
            yield name, str(path), content


def _decoded(content: bytes, name: str, file: str) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise no_text(error, name, file) from error


def _unreadable(
    error: jinja2.TemplateSyntaxError, engine: jinja2.Environment, file: str
) -> Message:
    return Message(
        id="templates.E010",
        level=Level.ERROR,
        text=f"the template {error.name!r} cannot be read: {error.message}",
        hint=syntax_hint(error, engine),
        where=Location(error.filename or file, error.lineno),
    )


def _named(tree: jinja2.nodes.Template) -> Iterator[tuple[str, int]]:
    """Yield the templates that one extends, includes or imports by a literal name."""
    nodes = jinja2.nodes
    for node in tree.find_all((nodes.Extends, nodes.Include, nodes.Import, nodes.FromImport)):
        named = getattr(node, "template", None)
        name = named.value if isinstance(named, nodes.Const) else None
        if isinstance(name, str) and not getattr(node, "ignore_missing", False):
            yield name, node.lineno


def _misnamed(
    name: str, other: str, where: Location, engine: jinja2.Environment
) -> Iterator[Message]:
    names = engine.list_templates()
    if other not in names:
        yield Message(
            id="templates.E011",
            level=Level.ERROR,
            text=f"no folder has the template {other!r} that is named here",
            hint=did_you_mean(other, names),
            where=where,
        )
    elif is_escaped(name) and is_text(other):
        yield Message(
            id="templates.W001",
            level=Level.WARNING,
            text=f"{name!r} is HTML and takes in {other!r}, whose values are not escaped",
            hint="a value in it could become HTML: call it .html",
            where=where,
        )
