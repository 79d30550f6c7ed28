"""Pages without a policy for scripts, and templates that are read again, are told of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fastforge import Project
from fastforge.checks import run_checks
from tests.folder import isolated


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with isolated(tmp_path) as folder:
        folder.write({"shop/settings.py": 'INSTALLED_APPS = ["fastforge.contrib.templates"]\n'})
        yield folder.load()


def found(project: Project, **settings: Any) -> set[str]:
    changed = project.overriding(settings=settings)
    return {each.id for each in run_checks(changed, deploy=True, tags=["templates"])}


def test_pages_without_a_policy_for_scripts_are_told(project: Project) -> None:
    assert found(project) == {"templates.W002"}
    assert found(project, SECURITY={"content_security_policy": "default-src 'self'"}) == set()


def test_templates_that_are_read_again_in_production_are_told(project: Project) -> None:
    assert "templates.W003" in found(project, TEMPLATES={"auto_reload": True})
    assert "templates.W003" not in found(project, TEMPLATES={"auto_reload": False})
