"""Server: what the databases of the tests are called, and when a template is built."""

from __future__ import annotations

from pathlib import Path

import pytest

from fastforge.contrib.db import Database
from fastforge.contrib.db.resources import open_database
from fastforge.contrib.db.testing.servers import Server


@pytest.mark.parametrize("own", ["\N{LATIN SMALL LETTER O WITH DIAERESIS}" * 40, "shop" * 20])
async def test_a_long_name_makes_a_template_and_a_copy(each_postgres_url: str, own: str) -> None:
    """The limit is one of bytes, of which a letter may have several."""
    built: list[str] = []

    async def build(name: str) -> None:
        built.append(name)

    config = Database(url=each_postgres_url, pool_size=1)
    opened = await open_database(config, root=Path.cwd(), environment="test")
    async with opened.engine.connect() as bare:
        server = Server(await bare.execution_options(isolation_level="AUTOCOMMIT"), own=own)
        copy = await server.claim("gw0")
        template = await server.template("0123456789ab", build, anew="")
        try:
            assert await server.template("0123456789ab", build, anew="") == template
            await server.copy(copy, template)
        finally:
            await server.drop(copy)
            await server.drop(template)
    await opened.engine.dispose()
    assert built == [f"{template}_new"]
