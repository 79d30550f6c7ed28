"""The pictures of the documentation are as their script draws them, and are shown."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest

from scripts.pictures.__main__ import IMAGES, PICTURES
from scripts.pictures.canvas import Canvas
from tests.docs.markdown import pages

_IMAGE = re.compile(r"!\[(?P<text>[^\]]*)\]\((?P<target>[^)]+)\)")


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_as_it_is_drawn_and_says_what_is_to_be_seen(name: str) -> None:
    written = (IMAGES / f"{name}.svg").read_text(encoding="utf-8")
    assert written == PICTURES[name]().svg(), "draw it anew: python -m scripts.pictures"
    picture = ET.fromstring(written)
    title, text, *_ = picture
    assert title.text
    assert len(text.text or "") > 50
    assert "prefers-color-scheme: dark" in written


def test_every_picture_is_shown_by_a_page_and_told_in_words_too() -> None:
    shown = {}
    for page in pages():
        for _, line in page.prose():
            for found in _IMAGE.finditer(line):
                shown[(page.path.parent / found["target"]).resolve()] = found["text"]
    assert [path for path in shown if not path.exists()] == []
    assert [path for path, text in shown.items() if len(text) < 20] == []
    assert {IMAGES / f"{name}.svg" for name in PICTURES} <= set(shown)


def test_words_that_are_longer_than_their_box_are_refused() -> None:
    canvas = Canvas(title="a", text="b", width=100, height=100)
    with pytest.raises(ValueError, match="does not fit into 40 pixels"):
        canvas.box(0, 0, 40, "a long name")
