"""Who asks is known before the router too: a layer, such as that of rate limits, may ask."""

from __future__ import annotations

import logging
import shutil
import textwrap
from pathlib import Path

import httpx
import pytest

from fastforge import Project
from tests.folder import ProjectFolder

from .shop import browser, log_in, settings

LIMITED = """
    from fastforge.contrib.ratelimit import RateLimit
    RATE_LIMIT = RateLimit(default="100/day", default_by="user")
"""


@pytest.fixture
def project(folder: ProjectFolder, database: Path) -> Project:
    shutil.copy(database, folder.path / "db.sqlite3")
    text = settings(apps='"fastforge.contrib.ratelimit",')
    folder.write({"shop/settings.py": textwrap.dedent(text) + textwrap.dedent(LIMITED)})
    return folder.load()


def left(answer: httpx.Response) -> int:
    told = answer.headers["RateLimit"]
    return int(told.partition(";r=")[2].partition(";")[0])


async def test_a_limit_of_all_requests_by_user_lets_cookies_authenticate(project: Project) -> None:
    """The layer asks before the session's own one runs: nobody was logged in any more."""
    async with browser(project) as http, browser(project) as other:
        await log_in(http)
        mine = [await http.get("/me"), await http.post("/act")]
        assert [each.status_code for each in mine] == [200, 200]
        guest = await other.get("/maybe")
        assert (guest.json(), guest.status_code) == ("nobody", 200)
        # Hers are counted apart from those of the address.
        assert left(mine[1]) == left(mine[0]) - 1
        assert left(guest) > left(mine[1])


async def test_what_is_asked_early_lets_no_foreign_page_act(
    project: Project, caplog: pytest.LogCaptureFixture
) -> None:
    async with browser(project) as http:
        await log_in(http)
        foreign = {"Sec-Fetch-Site": "cross-site"}
        assert (await http.post("/act", headers=foreign)).status_code == 403
        with caplog.at_level(logging.WARNING, "fastforge.sessions"):
            caplog.clear()
            assert (await http.post("/exempt", headers=foreign)).status_code == 200
        assert not [each for each in caplog.records if "csrf" in each.getMessage()]
