"""One name gives those of a class, variables, functions and a path."""

from __future__ import annotations

import pytest

from fastforge.scaffold.words import Noun, in_words


@pytest.mark.parametrize(
    ("label", "singular", "plural", "class_name"),
    [
        ("notes", "note", "notes", "Note"),
        ("blog", "blog", "blogs", "Blog"),
        ("categories", "category", "categories", "Category"),
        ("ties", "tie", "ties", "Tie"),
        ("days", "day", "days", "Day"),
        ("boxes", "box", "boxes", "Box"),
        ("addresses", "address", "addresses", "Address"),
        ("branches", "branch", "branches", "Branch"),
        ("order_lines", "order_line", "order_lines", "OrderLine"),
        ("news", "news", "news", "News"),
        ("market_data", "market_data", "market_data", "MarketData"),
        ("status", "status", "status", "Status"),
        ("cms", "cm", "cms", "Cm"),
        ("s", "s", "ses", "S"),
        ("crm2", "crm2", "crm2s", "Crm2"),
    ],
)
def test_a_label_is_the_plural_of_what_the_app_is_about(
    label: str, singular: str, plural: str, class_name: str
) -> None:
    noun = Noun.of_many(label)
    assert (noun.singular, noun.plural, noun.class_name) == (singular, plural, class_name)
    assert noun.path == plural.replace("_", "-")


@pytest.mark.parametrize(
    ("singular", "variable"),
    [
        ("post", "post"),
        ("class", "class_"),
        ("type", "type_"),
        ("value", "value_"),
        ("page", "page_"),
        ("pagination", "pagination_"),
        ("change", "change"),
        ("dir", "dir_"),
    ],
)
def test_a_variable_hides_nothing(singular: str, variable: str) -> None:
    assert Noun(singular=singular).variable == variable


def test_a_resource_may_be_typed_as_a_class() -> None:
    assert [in_words(name) for name in ("OrderLine", "order_line", "HTTPLog", "Post")] == [
        "order_line",
        "order_line",
        "http_log",
        "post",
    ]
