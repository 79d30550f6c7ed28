"""What is unwise about showing metrics is said before it is deployed; a missing package too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from fastforge.contrib.prometheus import Prometheus
from fastforge.contrib.prometheus.checks import path_is_public
from fastforge.exceptions import ForgeError
from tests.commanding import python
from tests.folder import ProjectFolder, isolated

SETTINGS = """
from fastforge.contrib.prometheus import Prometheus

INSTALLED_APPS = ["fastforge.contrib.prometheus"]
PROMETHEUS = Prometheus({arguments})
"""
WITHOUT = """
import sys

sys.modules["prometheus_client"] = None
from fastforge.exceptions import ForgeError
from fastforge import Project

try:
    Project.load("shop.settings")
except ForgeError as error:
    print(error)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        yield folder


def told(folder: ProjectFolder, arguments: str) -> list[str]:
    folder.write({"shop/settings.py": SETTINGS.format(arguments=arguments)})
    found = path_is_public.function(folder.load())
    assert isinstance(found, Iterable)
    return [f"{each.id}: {each.text}" for each in found]


@pytest.mark.parametrize(
    ("arguments", "who"),
    [
        ('path="/metrics"', "everybody who reaches the application"),
        ('path="/metrics", token="sesame"', "whoever has the token"),
    ],
)
def test_a_path_on_the_public_port_is_told(folder: ProjectFolder, arguments: str, who: str) -> None:
    message = f"prometheus.W001: PROMETHEUS.path shows the metrics at /metrics to {who}"
    assert told(folder, arguments) == [message]


def test_a_port_of_their_own_is_not(folder: ProjectFolder) -> None:
    assert told(folder, 'host="0.0.0.0"') == []


@pytest.mark.parametrize(
    ("host", "is_local"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("metrics.internal", False),
    ],
)
def test_it_is_known_who_reaches_the_page(host: str, is_local: bool) -> None:
    assert Prometheus(host=host).is_local is is_local


def test_a_path_begins_with_a_slash() -> None:
    with pytest.raises((ForgeError, ValueError), match="it has to begin with /"):
        Prometheus.model_validate({"path": "metrics"})


def test_a_missing_package_is_told_with_the_line_that_installs_it(folder: ProjectFolder) -> None:
    folder.write({"shop/settings.py": SETTINGS.format(arguments="")})
    done = python(["-c", WITHOUT], cwd=folder.path, env={"FASTFORGE_ENV": "test"})
    assert 'pip install "fastforge-framework[prometheus]"' in done.stdout + done.stderr
