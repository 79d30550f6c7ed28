"""The page is well-formed whatever is in it, and nothing that is in it can do anything."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from fastforge.conf import Settings, read_settings_module
from fastforge.lifecycle import Health
from fastforge.web.welcome.about import About, AppFact
from fastforge.web.welcome.facts import Facts, RouteFact, Step
from fastforge.web.welcome.page import render
from tests.folder import isolated

HOSTILE = """</style></code>"><script>alert('$project')</script> & <img src=x onerror="a()"> ${x}"""
VOID = {"meta", "link"}


class Document(HTMLParser):
    """The elements and texts of a page; raises where one is not closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        assert len(dict(attrs)) == len(attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def values(self, attribute: str) -> list[str]:
        return [
            str(attributes[attribute]) for _, attributes in self.found if attribute in attributes
        ]


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    with isolated(tmp_path) as folder:
        folder.write({"shop/settings.py": ""})
        sys.path.insert(0, str(tmp_path))
        raw = read_settings_module("shop.settings", named_by="test", environ={})
        yield Settings({}, declared=(), raw=raw)


def facts(settings: Settings, text: str, **changes: Any) -> Facts:
    """Facts in which every text is the same."""
    about = About(
        project=text,
        version=text,
        settings=settings,
        apps=(AppFact(name=text, label=text, prefix=text),),
        jobs=lambda container: "",
    )
    route = RouteFact(methods=(text,), path=text, endpoint=text, where=text, docs=text)
    values: dict[str, Any] = {
        "about": about,
        "docs": text,
        "routes": (route,),
        "resources": (Health(resource=text, app=text, required=True, error=text),),
        "notices": (text,),
        "jobs": text,
        "steps": (Step(text=text, command=text), Step(text=text, link=text)),
    }
    return Facts(**values | changes)


def test_hostile_names_stay_text(settings: Settings) -> None:
    page = Document(render(facts(settings, HOSTILE)).html)
    calm = Document(render(facts(settings, "calm")).html)
    words = len(HOSTILE.split())
    elements = [tag for tag, _ in page.found]
    # Every word of a command is an element; otherwise the two pages have the same ones.
    assert len(elements) == len(calm.found) + words - 1
    assert set(elements) == {tag for tag, _ in calm.found}
    assert "script" not in elements
    assert f"{HOSTILE} is running" in "".join(page.texts)
    assert not any(name.startswith("on") for _, attributes in page.found for name in attributes)


def test_it_is_one_document_that_needs_nothing_from_elsewhere(settings: Settings) -> None:
    html = render(facts(settings, "calm")).html
    page = Document(html)
    elements = [tag for tag, _ in page.found]
    assert html.startswith('<!doctype html>\n<html lang="en">')
    for once in ("html", "head", "title", "body", "header", "main", "h1", "footer"):
        assert elements.count(once) == 1
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    assert set(page.values("aria-labelledby")) <= set(ids)
    assert all(value == "calm" or value.startswith("data:") for value in page.values("href"))
    assert page.values("src") == []
    assert "url(" not in html
    assert "@import" not in html


def test_an_empty_project_has_words_for_it(settings: Settings) -> None:
    about = About(project="shop", version="1", settings=settings, apps=(), jobs=lambda _: "")
    empty = facts(settings, "", about=about, routes=(), resources=(), notices=(), jobs="", steps=())
    html = render(empty).html
    page = Document(html)
    assert "A route for / takes the place of this page." in html
    assert "None yet." in page.texts
    assert "notices" not in page.values("class")
    unserved = render(facts(settings, "", resources=None)).html
    assert "does not run its lifespan" in unserved


@pytest.mark.parametrize("text", ["naïve", "日本", "🙂", "a" * 5000])
def test_every_letter_is_carried(settings: Settings, text: str) -> None:
    assert f"<h1>{text} is running</h1>" in render(facts(settings, text)).html
