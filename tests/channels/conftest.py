"""A project with channels for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from ..folder import ProjectFolder, isolated
from .live import Live, live_with


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as project:
        yield project


@pytest.fixture
async def live(folder: ProjectFolder) -> AsyncIterator[Live]:
    async with live_with(folder) as running:
        yield running
