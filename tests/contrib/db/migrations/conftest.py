"""The two apps of `world`, and the project `shop`, in the test's own folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.folder import isolated

from .shop import SHOP, Shop
from .world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with isolated(tmp_path) as folder:
        folder.write(SHOP)
        yield Shop(folder)


@pytest.fixture(params=["sqlite", "postgresql"])
def either_database_url(request: pytest.FixtureRequest) -> str:
    """A fresh database of each kind, where the driver makes no difference."""
    name = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    url: str = request.getfixturevalue(name)
    return url
