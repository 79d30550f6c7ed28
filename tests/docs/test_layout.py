"""The page on the layout of the source draws the layers that are enforced, and names each room."""

from __future__ import annotations

import re
import tomllib

from tests.source import PACKAGE, ROOT

from .markdown import DOCS, Page

LAYOUT = Page(DOCS / "reference" / "layout.md")


def enforced_layers() -> list[str]:
    """The lines that import-linter holds, without the marks of what may be absent."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    contracts = tomllib.loads(text)["tool"]["importlinter"]["contracts"]
    (layers,) = [each["layers"] for each in contracts if each.get("containers") == ["fastforge"]]
    return [re.sub(r"[()]", "", line) for line in layers]


def test_the_page_draws_the_layers_that_are_enforced() -> None:
    (drawing,) = [block for block in LAYOUT.blocks() if block.reason == "a drawing"]
    drawn = [line.removesuffix(".*") for line in drawing.text.splitlines()]
    assert drawn == enforced_layers()


def test_the_page_names_every_room_and_every_contrib_app() -> None:
    rows = list(LAYOUT.heading("Rooms").rows())
    named = {name for row in rows for cell in row for name in re.findall(r"`([a-z_]+)`", cell)}
    places = [*PACKAGE.iterdir(), *(PACKAGE / "contrib").iterdir()]
    rooms = {
        place.stem for place in places if place.suffix == ".py" or (place / "__init__.py").exists()
    }
    assert rooms - {"__init__"} - named == set()
