"""Page: the facts as HTML, with every text escaped, and the policy that such a page needs."""

from __future__ import annotations

import base64
import functools
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from pathlib import Path
from string import Template
from typing import Final

from ...lifecycle import Health
from ..look import style
from .about import AppFact
from .facts import Facts, RouteFact, Step

__all__ = ["Page", "render"]

FOLDER: Final = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A whole document, and the Content-Security-Policy that lets its own style through."""

    html: str
    policy: str


def render(facts: Facts) -> Page:
    """Return the page of a project."""
    template, sheet, policy = _files()
    about = facts.about
    html = template.substitute(
        style=sheet,
        project=escape(about.project),
        settings=escape(about.settings.module),
        environment=escape(about.settings.environment),
        version=escape(about.version),
        notices=_notices(facts.notices),
        steps=_joined(map(_step, facts.steps)),
        routes=_routes(facts),
        resources=_resources(facts.resources),
        jobs=_jobs(facts.jobs),
        apps=_listed(map(_app, about.apps)) or _nothing("None yet."),
    )
    return Page(html=html, policy=policy)


@functools.cache
def _files() -> tuple[Template, str, str]:
    template = Template((FOLDER / "page.html").read_text(encoding="utf-8"))
    whole = f"{style()}\n{(FOLDER / 'style.css').read_text(encoding='utf-8')}"
    digest = base64.b64encode(hashlib.sha256(whole.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:;"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return template, whole, policy


def _notices(notices: Iterable[str]) -> str:
    items = _joined(f"<li>{escape(line)}</li>" for line in notices)
    if not items:
        return ""
    heading = '<h2 id="waiting">What waits for you</h2>'
    return f'<section class="notices" aria-labelledby="waiting">{heading}<ul>{items}</ul></section>'


def _step(step: Step) -> str:
    text = escape(step.text)
    if step.link:
        return f'<li><a href="{escape(step.link)}">{text}</a></li>'
    # A line may break between words alone: `--` at the end of one would read as a word itself.
    words = " ".join(f"<span>{escape(word)}</span>" for word in step.command.split())
    return f"<li>{text}<kbd>{words}</kbd></li>"


def _routes(facts: Facts) -> str:
    if not facts.routes:
        return _nothing("None yet. A route for / takes the place of this page.")
    # The roles say what the elements are by themselves, until a narrow screen sets a row as a grid.
    titles = ("Method", "Path", "Handler")
    cells = "".join(f'<th role="columnheader" scope="col">{title}</th>' for title in titles)
    head = f'<thead role="rowgroup"><tr role="row">{cells}</tr></thead>'
    body = f'<tbody role="rowgroup">{_joined(map(_route, facts.routes))}</tbody>'
    return f'<table role="table">{head}{body}</table>'


def _route(route: RouteFact) -> str:
    methods = " ".join(f'<span class="method">{escape(method)}</span>' for method in route.methods)
    path = f"<code>{escape(route.path)}</code>"
    if route.docs:
        label = escape(f"{' '.join(route.methods)} {route.path} in the documentation")
        path = f'<a href="{escape(route.docs)}" aria-label="{label}">{path}</a>'
    place = f"<small>{escape(route.where)}</small>" if route.where else ""
    handler = f"<code>{escape(route.endpoint)}</code>{place}"
    cells = "".join(f'<td role="cell">{cell}</td>' for cell in (methods, path, handler))
    return f'<tr role="row">{cells}</tr>'


def _resources(resources: tuple[Health, ...] | None) -> str:
    if resources is None:
        return _nothing("Not open: whoever serves this application does not run its lifespan.")
    return _listed(map(_resource, resources)) or _nothing("None yet.")


def _resource(health: Health) -> str:
    state, words = ("bad", "unavailable") if health.error else ("good", "works")
    rest = f"<small>{escape(health.error)}</small>" if health.error else ""
    name = f"<code>{escape(health.resource)}</code>"
    owner = f'<span class="quiet">{escape(health.app)}</span>'
    return f'<li>{name} {owner} <span class="state {state}">{words}</span>{rest}</li>'


def _jobs(jobs: str) -> str:
    return f'<p class="quiet">Jobs {escape(jobs)}</p>' if jobs else ""


def _app(app: AppFact) -> str:
    prefix = f' <span class="quiet">at {escape(app.prefix)}</span>' if app.prefix else ""
    return f"<li><code>{escape(app.name)}</code>{prefix}</li>"


def _listed(items: Iterable[str]) -> str:
    inside = _joined(items)
    return f'<ul class="plain">{inside}</ul>' if inside else ""


def _nothing(text: str) -> str:
    return f'<p class="quiet">{escape(text)}</p>'


def _joined(parts: Iterable[str]) -> str:
    return "\n".join(parts)
