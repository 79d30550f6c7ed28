"""Sites, and a client that takes them for the internet."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from fastforge.contrib.http import ExternalClient, ExternalHttp
from fastforge.contrib.http.external.connections import ExternalConnections

from .internet import OTHER, PUBLIC, Internet, Site, running


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    """What the internet finds at PUBLIC."""
    async with running(Site()) as site:
        yield site


@pytest.fixture
async def other() -> AsyncIterator[Site]:
    """What the internet finds at OTHER."""
    async with running(Site()) as site:
        yield site


@pytest.fixture
def internet(site: Site, other: Site) -> Internet:
    names = {"public.example": [PUBLIC], "other.example": [OTHER]}
    return Internet(
        names=names,
        sites={
            (PUBLIC, 80): site, (PUBLIC, 443): site, (OTHER, 80): other, (OTHER, 443): other,
        },
    )  # fmt: skip


@pytest.fixture
def external(internet: Internet) -> Callable[..., ExternalClient]:
    """`external(**options)`, for an internet that is the test's."""

    def open_client(*, connections: int = 50, **options: Any) -> ExternalClient:
        return ExternalClient(ExternalHttp(**options), ExternalConnections(connections, internet))

    return open_client
