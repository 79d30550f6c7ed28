"""The comparison is about the versions that the benchmarks run, so that a new one is read anew."""

from __future__ import annotations

import tomllib

import pytest
from packaging.requirements import Requirement

from benchmarks.harness.subjects import DJANGO_PACKAGES, LITESTAR_PACKAGES
from tests.source import ROOT

from .markdown import DOCS

NAMES = {
    "fastapi": "FastAPI",
    "Django": "Django",
    "litestar": "Litestar",
    "advanced-alchemy": "Advanced Alchemy",
}


def compared() -> list[Requirement]:
    """What is compared, with the version that is asked for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found = map(Requirement, [*project["dependencies"], *DJANGO_PACKAGES, *LITESTAR_PACKAGES])
    return [requirement for requirement in found if requirement.name in NAMES]


@pytest.mark.parametrize("requirement", compared(), ids=lambda requirement: requirement.name)
def test_the_page_names_the_version_that_is_compared(requirement: Requirement) -> None:
    oldest = next(each for each in requirement.specifier if each.operator in ("==", ">="))
    version = ".".join(oldest.version.split(".")[:2])
    page = (DOCS / "comparison.md").read_text(encoding="utf-8")
    assert f"{NAMES[requirement.name]} {version}" in page


def test_all_of_them_are_compared() -> None:
    assert sorted(requirement.name for requirement in compared()) == sorted(NAMES)
