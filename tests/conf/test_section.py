"""Section: a frozen typed group of settings."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from fastforge.conf import Section, Setting
from fastforge.exceptions import ErrorGroup, SettingsError


class PageSize(Section):
    """How long a page is."""

    articles: int = 20
    comments: int = 50


class Required(Section, setting="OTHER"):
    url: str


def test_the_setting_is_named_after_the_class_or_by_the_keyword() -> None:
    assert PageSize.setting_name == "PAGE_SIZE"
    assert Required.setting_name == "OTHER"


def test_a_section_is_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        PageSize().articles = 3  # type: ignore[misc]


def test_outside_a_load_a_mistake_is_raised_with_its_place() -> None:
    with pytest.raises(SettingsError, match=r"test_section.py:\d+: PageSize.artikles") as caught:
        PageSize(artikles=3)  # type: ignore[call-arg]
    assert caught.value.hint == "did you mean 'articles'?"


def test_outside_a_load_several_mistakes_are_raised_together() -> None:
    with pytest.raises(ErrorGroup, match="2 mistakes|articles") as caught:
        PageSize(articles="x", comments="y")  # type: ignore[arg-type]
    assert len(caught.value.errors) == 2


def test_the_default_of_a_setting_is_the_sections_own() -> None:
    setting = Setting.of(PageSize)
    assert setting.default("production") == PageSize()
    assert setting.help == "How long a page is."


def test_a_section_with_a_required_field_makes_a_required_setting() -> None:
    assert not callable(Setting.of(Required).default)
