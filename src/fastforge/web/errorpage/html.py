"""HTML: the facts as a page; everything from outside is escaped."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from html import escape
from itertools import pairwise
from pathlib import Path
from string import Template
from typing import Final

from ..._utils import counted
from ..look import style
from .chain import Link, Quote, Wrong
from .editor import editor_link
from .facts import Facts, PanelFact, SettingFact
from .frames import Frame, Run
from .lines import LogLine
from .panel import PanelRow
from .source import Line
from .text import as_text

__all__ = ["as_html"]

FOLDER: Final = Path(__file__).parent
_SETTINGS: Final = (
    '<p class="quiet">All others have their defaults: <code>manage settings</code> lists them.</p>'
)
WHOLE_FRAME: Final = "frame users"

Write = Callable[[str], str]


def as_html(facts: Facts, *, nonce: str) -> str:
    """Return the whole page: no other file is needed.

    Args:
        facts: What it says.
        nonce: What the Content-Security-Policy of the answer allows.
    """
    return _Page(facts).html(nonce)


@cache
def _file(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


class _Page:
    """Writes the page of one request; `_text` is what every text from outside goes through."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._shows_variables = True

    def html(self, nonce: str) -> str:
        facts, first = self._facts, self._facts.chain[0]
        sections = [*self._sections()]
        return Template(_file("page.html")).substitute(
            nonce=escape(nonce),
            style=f"{style()}\n{_file('style.css')}",
            script=_file("script.js"),
            title=self._text(f"{first.type} at {facts.asked.path}"),
            kind=self._kind(),
            type=self._text(first.type),
            message=self._message(first),
            advice=self._advice(first),
            ids=_joined(self._ids()),
            links=_joined(_link(name, title) for name, title, _ in sections),
            chain=_joined(self._link(number, each) for number, each in enumerate(facts.chain)),
            sections=_joined(body for _, _, body in sections),
            plain=self._text(as_text(facts)),
            footer=self._text(f"{facts.project}, {facts.environment}"),
        )

    def _text(self, text: str) -> str:
        return escape(self._facts.hide(text))

    # --- the head --------------------------------------------------------------------------------

    def _kind(self) -> str:
        facts = self._facts
        request = f"{facts.asked.method} {facts.asked.path}"
        return f"<span>{facts.status}</span> <code>{self._text(request)}</code>"

    def _message(self, link: Link) -> str:
        return f'<p class="message">{self._text(link.message)}</p>' if link.message else ""

    def _advice(self, link: Link) -> str:
        parts = []
        if link.hint:
            parts.append(f"<p>{self._text(_sentence(link.hint))}</p>")
        if link.code:
            explained = " is explained in the documentation, under Errors" if link.is_ours else ""
            code = f"<code>{self._text(link.code)}</code>{explained}"
            parts.append(f'<p class="quiet">{code}</p>')
        return f'<div class="notices">{_joined(parts)}</div>' if parts else ""

    def _ids(self) -> Iterator[str]:
        facts = self._facts
        for name, value in (("Request", facts.request_id), ("Trace", facts.trace_id)):
            if value:
                button = f'<button type="button" data-copy="{self._text(value)}">Copy</button>'
                yield f"<li>{name} <code>{self._text(value)}</code> {button}</li>"
        yield '<li><button type="button" data-copy-from="plain">Copy all as text</button></li>'

    # --- exceptions ------------------------------------------------------------------------------

    def _link(self, number: int, link: Link) -> str:
        heading = "How it came to this" if number == 0 else ""
        parts = [f'<h2 id="error{number}">{heading}</h2>'] if heading else []
        if number:
            parts.append(f'<h2 id="error{number}">{self._text(link.relation.capitalize())}</h2>')
            parts.append(f'<p class="type">{self._text(link.type)}</p>')
            parts.append(self._message(link))
            parts.append(self._advice(link))
        if link.wrong:
            parts.append(self._wrong(link.wrong))
        if link.quote:
            parts.append(self._quote(link.quote))
        self._shows_variables = True  # of the innermost of the user's frames
        parts += map(self._run, link.runs)
        return f'<section class="link" aria-labelledby="error{number}">{_joined(parts)}</section>'

    def _wrong(self, wrong: Iterable[Wrong]) -> str:
        rows = (
            self._row(each.location or "(whole)", f"{each.message}, and got {each.got}")
            for each in wrong
        )
        return f'<dl class="facts wrong">{_joined(rows)}</dl>'

    def _quote(self, quote: Quote) -> str:
        frame = Frame(
            file=quote.file,
            line=quote.line,
            function=quote.title,
            place=quote.place,
            source=quote.source,
        )
        return self._frame(frame)

    def _run(self, run: Run) -> str:
        if run.is_users:
            return _joined(map(self._frame, run.frames))
        if run.missing:
            more = counted(run.missing, "more call", "more calls")
            return f'<p class="quiet gap">{more} like this</p>'
        whose = " and ".join(filter(None, [", ".join(run.libraries[:-1]), *run.libraries[-1:]]))
        summary = f"{counted(len(run.frames), 'frame')} of {whose}"
        items = (
            f"<li><code>{self._text(each.function)}</code> {self._place(each)}"
            f"{''.join(f'<pre>{self._text(line.text)}</pre>' for line in each.source)}</li>"
            for each in run.frames
        )
        listed = f'<ol class="library">{_joined(items)}</ol>'
        return f'<details class="fold"><summary>{self._text(summary)}</summary>{listed}</details>'

    def _frame(self, frame: Frame) -> str:
        name = f"<code>{self._text(frame.function)}</code>"
        parts = [f'<div class="place">{name} {self._place(frame)}</div>']
        if frame.source:
            lines = "".join(self._line(line, frame) for line in frame.source)
            parts.append(f'<pre class="source" tabindex="0">{lines}</pre>')
        if frame.variables:
            parts.append(self._variables(frame))
        return f'<div class="{WHOLE_FRAME}">{_joined(parts)}</div>'

    def _place(self, frame: Frame) -> str:
        link = editor_link(frame.file, frame.line)
        place = self._text(frame.place)
        return f'<a href="{escape(link)}">{place}</a>' if link else f"<span>{place}</span>"

    def _line(self, line: Line, frame: Frame) -> str:
        is_here = line.number == frame.line
        marked = frame.columns if is_here and line.spans else None
        code = _coloured(line, marked, self._text)
        mark = ' class="here"' if is_here else ""
        return f"<span{mark}><i>{line.number}</i>{code or ' '}</span>"

    def _variables(self, frame: Frame) -> str:
        is_open = " open" if self._shows_variables else ""
        self._shows_variables = False
        rows = _joined(self._row(name, value) for name, value in frame.variables)
        summary = f"<summary>{counted(len(frame.variables), 'variable')}</summary>"
        return (
            f'<details class="variables"{is_open}>{summary}<dl class="facts">{rows}</dl></details>'
        )

    # --- what else is known ----------------------------------------------------------------------

    def _sections(self) -> Iterator[tuple[str, str, str]]:
        """Yield the name, the title and the body of each part below the exceptions."""
        facts = self._facts
        yield "request", "Request", self._section("request", "Request", self._request())
        for panel in facts.panels:
            name = f"panel-{panel.name}"
            body = _joined(map(self._panel_row, panel.rows))
            yield name, panel.title, self._panel(name, panel, f'<ol class="rows">{body}</ol>')
        if facts.lines:
            body = f'<ol class="rows">{_joined(map(self._log_line, facts.lines))}</ol>'
            yield "log", "Log", self._section("log", f"Log <small>{len(facts.lines)}</small>", body)
        rows = _joined(map(self._setting, facts.settings))
        yield "settings", "Settings", self._folded("settings", "Settings", rows, _SETTINGS)
        rows = _joined(self._row(name, value) for name, value in facts.versions)
        yield "versions", "Versions", self._folded("versions", "Versions", rows)

    def _section(self, name: str, title: str, body: str) -> str:
        heading = f'<h2 id="{escape(name)}">{title}</h2>'
        return f'<section aria-labelledby="{escape(name)}">{heading}{body}</section>'

    def _panel(self, name: str, panel: PanelFact, body: str) -> str:
        return self._section(name, self._text(panel.title), body)

    def _folded(self, name: str, title: str, rows: str, note: str = "") -> str:
        summary = f'<summary><h2 id="{name}">{title}</h2></summary>'
        body = f'<dl class="facts">{rows}</dl>{note}'
        inside = f"<details>{summary}{body}</details>"
        return f'<section class="folded" aria-labelledby="{name}">{inside}</section>'

    def _request(self) -> str:
        asked = self._facts.asked
        rows = [("Route", asked.route or "none"), ("Handler", asked.endpoint)]
        parts = [self._rows(tuple(row for row in rows if row[1]))]
        for title, found in (
            ("Path", asked.parameters),
            ("Query", asked.query),
            ("Form", asked.form),
            ("Cookies", asked.cookies),
        ):
            if found:
                parts.append(f"<h3>{title}</h3>{self._rows(found)}")
        if asked.body:
            body = self._text(asked.body)
            parts.append(f'<h3>Body</h3><pre class="body" tabindex="0">{body}</pre>')
        summary = f"<summary>{counted(len(asked.headers), 'header')}</summary>"
        parts.append(f'<details class="more">{summary}{self._rows(asked.headers)}</details>')
        return _joined(parts)

    def _rows(self, rows: Iterable[tuple[str, str]]) -> str:
        inside = _joined(self._row(name, value) for name, value in rows)
        return f'<dl class="facts">{inside}</dl>'

    def _row(self, name: str, value: str, note: str = "") -> str:
        beside = f"<small>{self._text(note)}</small>" if note else ""
        return f"<dt>{self._text(name)}</dt><dd><code>{self._text(value)}</code>{beside}</dd>"

    def _setting(self, setting: SettingFact) -> str:
        return self._row(setting.name, setting.value, setting.source)

    def _panel_row(self, row: PanelRow) -> str:
        note = f"<small>{self._text(row.note)}</small>" if row.note else ""
        warning = f'<strong class="bad">{self._text(row.warning)}</strong>' if row.warning else ""
        return f"<li><code>{self._text(row.text)}</code>{note}{warning}</li>"

    def _log_line(self, line: LogLine) -> str:
        at, level, logger, text = line
        clock = f"{time.strftime('%H:%M:%S', time.localtime(at))}.{int(at % 1 * 1000):03d}"
        kind = ' class="bad"' if level in ("error", "critical", "warning") else ""
        head = f"{clock} <span{kind}>{self._text(level)}</span> {self._text(logger)}"
        return f"<li><code>{self._text(text)}</code><small>{head}</small></li>"


def _coloured(line: Line, marked: tuple[int, int] | None, write: Write) -> str:
    """Return a line with its colours, and with a mark around a part of it."""
    start, end = marked or (0, 0)
    edges = {0, len(line.text), start, end}
    edges.update(edge for span in line.spans for edge in (span.start, span.end))
    places = sorted(edge for edge in edges if edge <= len(line.text))
    parts: list[str] = []
    for begins, ends in pairwise(places):
        text = write(line.text[begins:ends])
        kind = next((each.kind for each in line.spans if each.start <= begins < each.end), "")
        if kind:
            text = f'<b class="{kind}">{text}</b>'
        if start <= begins < end:
            text = f"<mark>{text}</mark>"
        parts.append(text)
    return "".join(parts)


def _link(name: str, title: str) -> str:
    return f'<a href="#{escape(name)}">{escape(title)}</a>'


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"


def _joined(parts: Iterable[str]) -> str:
    return "\n".join(parts)
