"""What stands in the way of a worker is told by its cause."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from fastforge.contrib.db import Database
from fastforge.contrib.db.resources import open_database
from fastforge.contrib.jobs.resources import refuse_missing_table
from fastforge.exceptions import ResourceUnavailable, StartError
from fastforge.test.proxy import Proxy


async def test_only_a_missing_table_is_a_forgotten_migrate(
    each_postgres_url: str, pytestconfig: pytest.Config
) -> None:
    with Proxy(each_postgres_url) as proxy:
        database = await open_database(
            Database(url=proxy.url), root=pytestconfig.rootpath, environment="test"
        )
        with pytest.raises(StartError, match="manage migrate") as raised:
            await refuse_missing_table(database)
        assert raised.value.code == "jobs.E002"
        async with database.engine.begin() as raw:
            await raw.execute(sa.text("CREATE TABLE jobs_job (id int)"))
        with pytest.raises(StartError, match="manage migrate"):  # nor a column of it
            await refuse_missing_table(database)
        proxy.cut_after(0, "to_client")
        with pytest.raises(ResourceUnavailable) as lost:
            await refuse_missing_table(database)
        assert lost.value.code == "db.E020"
        assert "migrate" not in str(lost.value)
        proxy.heal()
        await database.engine.dispose()
