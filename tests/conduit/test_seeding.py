"""The seed of the example: users and articles to try the site with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from fastforge import Project
from fastforge.test import run_command

from .conftest import BOTH
from .people import ADA, api, log_in, manage, publish, register


@BOTH
async def test_the_seed_fills_an_empty_site_which_then_goes_on(project: Project) -> None:
    """Ids that the database gives out later do not meet those of the seed."""
    printed = manage(project, "seed", "--articles", "40", "--users", "5")
    password = printed.split("'")[1]
    async with api(project) as http:
        assert (await log_in(http, "user1@conduit.test", password)).status_code == 200
        listed = (await http.get("/articles")).json()
        assert (listed["articlesCount"], len(listed["articles"])) == (40, 20)
        assert all(len(article["tagList"]) == 2 for article in listed["articles"])
        assert sum(article["favoritesCount"] for article in listed["articles"])
        await publish(http, await register(http, ADA), tagList=["new"])
    assert "users             6\nfollows          15\n" in manage(project, "statistics")


def test_a_seed_of_one_user_follows_nobody(project: Project) -> None:
    manage(project, "seed", "--articles", "3", "--users", "1")
    assert "follows           0\narticles          3\n" in manage(project, "statistics")


def test_nothing_is_seeded_beside_the_users_of_somebody(project: Project) -> None:
    manage(project, "seed", "--articles", "1", "--users", "2")
    again = run_command(project, "seed")
    assert again.exit_code == 2
    assert "conduit.E001" in again.error
    assert "users             2\n" in manage(project, "statistics")


async def test_the_same_number_gives_the_same_articles_and_no_title_says_a_word_twice(
    load: Callable[[str], Project], tmp_path: Path
) -> None:
    sites = []
    for name in ("first", "second"):
        project = load(f"sqlite+aiosqlite:///{tmp_path / name}.sqlite3")
        manage(project, "migrate")
        manage(project, "seed", "--articles", "60", "--users", "5")
        async with api(project) as http:
            sites.append((await http.get("/articles", params={"limit": 60})).json()["articles"])
    texts = [
        [(each["slug"], each["title"], each["description"], each["tagList"]) for each in site]
        for site in sites
    ]
    assert texts[0] == texts[1]
    titles = [each["title"].split() for each in sites[0]]
    assert len(titles) == 60
    assert [title for title in titles if len(set(title)) < len(title)] == []
