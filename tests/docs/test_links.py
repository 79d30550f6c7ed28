"""Links between the pages lead somewhere, and the site builds without a warning."""

from __future__ import annotations

import shutil
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.processes import run
from tests.source import ROOT

from .markdown import DOCS, Page, pages


def test_every_page_is_in_the_navigation() -> None:
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    absent = [
        str(page.path.relative_to(DOCS))
        for page in pages()
        if page.path.is_relative_to(DOCS) and f": {page.path.relative_to(DOCS)}\n" not in navigation
    ]
    assert absent == []


def test_the_first_page_leads_to_every_other() -> None:
    index = Page(DOCS / "index.md")
    linked = {(DOCS / link.partition("#")[0]).resolve() for _, link in index.links()}
    others = {page.path for page in pages() if page.path.is_relative_to(DOCS)} - {index.path}
    assert others - linked == set()


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_links_lead_to_a_page_and_a_heading(page: Page) -> None:
    broken = [f"{page.place(line)} {link}" for line, link in page.links() if not leads(page, link)]
    assert broken == []


def leads(page: Page, link: str) -> bool:
    if link.startswith("https://"):
        return True
    target, _, anchor = link.partition("#")
    path = (page.path.parent / target).resolve() if target else page.path
    if not path.exists():
        return False
    return not anchor or anchor in anchors(path)


@cache
def anchors(path: Path) -> frozenset[str]:
    """What links to a page may end in: the reference is read once, not for each of its links."""
    return frozenset(heading.anchor for heading in Page(path).headings())


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    """In a folder of its own: `site/` and the cache of the source tree stay as they are."""
    shutil.copytree(DOCS, tmp_path / "docs")
    (tmp_path / "mkdocs.yml").write_text((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    done = run(
        [sys.executable, "-m", "zensical", "build", "--config-file", "mkdocs.yml", "--strict"],
        cwd=tmp_path,
        deadline_s=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "site" / "quickstart" / "index.html").exists()
