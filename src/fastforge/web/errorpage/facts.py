"""Facts: all that the page says of a request that failed."""

from __future__ import annotations

import json
import platform
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from pydantic import BaseModel
from starlette.types import Scope

from ..._utils import told
from ...conf import Settings, settings_report
from ...redaction import MASK, Redaction, is_sensitive, redacted_text
from .asked import Asked, asked_of
from .chain import Link, chain_of
from .lines import LogLine
from .panel import ErrorPanel, PanelRow
from .values import Values

__all__ = ["Facts", "Failed", "PanelFact", "gather"]

MOST_PANEL_ROWS: Final = 200
LONGEST_VALUE: Final = 200
_URL_PASSWORD: Final = re.compile(r"://[^\s:/@]*:([^\s/@]{12,})@")
PACKAGES: Final = ("fastapi", "starlette", "pydantic", "uvicorn", "sqlalchemy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """A request that failed, as the event loop knows it.

    Args:
        scope: The request's.
        error: What ended it.
        status: That of the answer.
        route: The template of the route that was found; empty for none.
        request_id: Its id.
        trace_id: The trace that it is a part of; empty for none.
        lines: What it has written to the log.
    """

    scope: Scope
    error: BaseException
    status: int
    route: str
    request_id: str
    trace_id: str
    lines: tuple[LogLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelFact:
    """A panel that has something to tell."""

    name: str
    title: str
    rows: tuple[PanelRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingFact:
    """A setting that somebody has written: what holds, without secrets, and where that is."""

    name: str
    value: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that the page says; `hide` masks the secrets of this request wherever they stand."""

    project: str
    environment: str
    status: int
    request_id: str
    trace_id: str
    chain: tuple[Link, ...]
    asked: Asked
    panels: tuple[PanelFact, ...]
    lines: tuple[LogLine, ...]
    settings: tuple[SettingFact, ...]
    versions: tuple[tuple[str, str], ...]
    hide: Callable[[str], str]


def gather(
    failed: Failed,
    *,
    project: str,
    settings: Settings,
    panels: Callable[[], Iterable[ErrorPanel]],
) -> Facts:
    """Look at a failed request from all sides; it takes its time, and is for a thread."""
    values = Values()
    for secret in _secrets(settings):
        values.keep(secret)
    asked = asked_of(failed.scope, failed.error, values, route=failed.route)
    chain = chain_of(failed.error, values)
    return Facts(
        project=project,
        environment=settings.environment,
        status=failed.status,
        request_id=failed.request_id,
        trace_id=failed.trace_id,
        chain=chain,
        asked=asked,
        panels=tuple(_panels(panels, failed.scope)),
        lines=tuple((*line[:3], redacted_text(line[3])) for line in failed.lines),
        settings=tuple(_settings(settings)),
        versions=tuple(_versions()),
        hide=_hider(Redaction(secrets=tuple(values.secrets))),
    )


def _secrets(settings: Settings) -> Iterator[str]:
    """Yield what the environment keeps secret: it may stand in any text."""
    record = settings.raw.record
    yield from record.secrets
    for name, value in record.environ.items():
        if is_sensitive(name):
            yield value
        yield from _URL_PASSWORD.findall(value)


def _panels(panels: Callable[[], Iterable[ErrorPanel]], scope: Scope) -> Iterator[PanelFact]:
    try:
        found = panels()
    except Exception as error:  # of a `panels.py`, which is first imported now
        row = PanelRow(text="the panels of apps cannot be loaded", warning=told(error))
        yield PanelFact(name="none", title="Panels", rows=(row,))
        return
    for panel in found:
        try:
            rows = tuple(panel.function(scope))[:MOST_PANEL_ROWS]
        except Exception as error:
            rows = (PanelRow(text=f"the panel {panel.name!r} fails", warning=told(error)),)
        if rows:
            yield PanelFact(name=panel.name, title=panel.title, rows=rows)


def _settings(settings: Settings) -> Iterator[SettingFact]:
    for row in settings_report(settings):
        if row.source == "default":
            continue
        for path, value in _leaves((row.name,), row.value):
            if not _is_written(settings[row.name], path[1:]):
                continue
            text = redacted_text(json.dumps(value, ensure_ascii=False, default=str))
            shown = text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}..."
            yield SettingFact(name=".".join(path), value=shown, source=row.source)


def _is_written(value: Any, path: tuple[str, ...]) -> bool:
    """Return whether somebody has written a field of a section, or of one in a dictionary."""
    for name in path:
        if isinstance(value, BaseModel):
            if name not in value.model_fields_set:
                return False
            value = getattr(value, name)
        elif isinstance(value, dict) and name in value:
            value = value[name]
        else:
            break
    return True


def _leaves(path: tuple[str, ...], value: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _leaves((*path, str(key)), inner)
    else:
        yield path, value


def _versions() -> Iterator[tuple[str, str]]:
    from ... import __version__

    yield "fastforge", __version__
    yield "Python", f"{platform.python_version()} ({platform.system()} {platform.machine()})"
    for name in PACKAGES:
        try:
            yield name, version(name)
        except PackageNotFoundError:
            continue


def _hider(rules: Redaction) -> Callable[[str], str]:
    def hide(text: str) -> str:
        for secret in rules.known:
            text = text.replace(secret, MASK)
        return text

    return hide
