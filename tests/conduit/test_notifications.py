"""Notifications: followers are told of an article once, live and by mail."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from importlib import import_module
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from fastforge import Project, Role
from fastforge.contrib.db import utcnow
from fastforge.contrib.db.resources import database
from fastforge.contrib.mail.memory import delivered
from fastforge.test import ChannelsUnderTest, Jobs
from fastforge.test.channels.brokers import BrokersOfTests
from fastforge.test.jobs.backends import BackendsOfTests
from fastforge.test.lifespan import RunningApplication, application_of

from .conftest import BOTH
from .people import ADA, CHARLES, api, publish, register

GRACE = {"username": "grace", "email": "grace@conduit.test", "password": "nano-seconds-9"}


class Office:
    """The site with its jobs, and ada whom charles follows."""

    def __init__(
        self,
        project: Project,
        http: httpx.AsyncClient,
        jobs: Jobs,
        channels: ChannelsUnderTest,
    ) -> None:
        self.channels = channels
        self.project = project
        self.http = http
        self.jobs = jobs
        self.ada: dict[str, str] = {}
        self.charles: dict[str, str] = {}

    async def open(self) -> None:
        self.ada = await register(self.http, ADA)
        self.charles = await register(self.http, CHARLES)
        await self.http.post("/profiles/ada/follow", headers=self.charles)

    async def told(self, who: dict[str, str], **page: int) -> dict[str, Any]:
        answer = await self.http.get("/notifications", headers=who, params=page)
        assert answer.status_code == 200
        found: dict[str, Any] = answer.json()
        return found

    async def run_sql(self, statement: str, **values: Any) -> None:
        running = self.project.running(Role.COMMAND)
        async with running as container, container[database].engine.begin() as connection:
            await connection.execute(text(statement), values)

    async def mailed(self) -> list[tuple[str, str]]:
        """Send the digests, and return to whom anything went so far, and its text."""
        digests = self.tasks().send_digests
        async with self.project.running(Role.COMMAND):
            await digests.enqueue()
        await self.jobs.drain()
        return [(letter.recipients[0], letter.text) for letter in delivered]

    @staticmethod
    def tasks() -> Any:
        return import_module("conduit.notifications.tasks")  # of the copy that is loaded


@pytest.fixture
async def office(project: Project) -> AsyncIterator[Office]:
    delivered.clear()
    backends, brokers = BackendsOfTests(), BrokersOfTests()
    mail = {"backend": "memory", "from_address": "conduit@example.org"}
    project = brokers.used_by(backends.used_by(project.overriding(settings={"MAIL": mail})))
    jobs = Jobs(project, backends)
    pages = RunningApplication(lambda: application_of(project))
    channels = ChannelsUnderTest(pages, brokers)
    async with api(project) as http:
        office = Office(project, http, jobs, channels)
        await office.open()
        yield office
    await channels.close()
    await pages.stop()
    await jobs.close()


@BOTH
async def test_followers_are_told_of_an_article_and_others_are_not(office: Office) -> None:
    grace = await register(office.http, GRACE)
    slug = await publish(office.http, office.ada)
    assert (await office.told(office.charles))["notifications"] == []
    await office.jobs.drain()
    told = await office.told(office.charles)
    assert (told["unseenCount"], told["channel"][:14]) == (1, "notifications:")
    assert [(each["slug"], each["author"]) for each in told["notifications"]] == [(slug, "ada")]
    for other in (office.ada, grace):
        assert (await office.told(other))["notifications"] == []
    seen = await office.http.post("/notifications/seen", headers=office.charles)
    assert seen.status_code == 204
    told = await office.told(office.charles)
    assert (told["unseenCount"], told["notifications"][0]["seen"]) == (0, True)
    assert (await office.http.get("/notifications")).status_code == 401


async def test_an_open_page_of_a_follower_is_told_at_once_and_nobody_elses(office: Office) -> None:
    published = import_module("conduit.notifications.channels").ArticlePublished
    name = (await office.told(office.charles))["channel"]
    page = await office.channels.connect(headers=office.charles)
    await page.assert_joined(name)
    other = await office.channels.connect(headers=office.ada)
    assert (await other.join(name))["code"] == "forbidden"
    slug = await publish(office.http, office.ada)
    await office.jobs.drain()
    told = await page.assert_push(published, channel=name, within_s=30)
    assert (told.slug, told.title, told.author) == (slug, "Notes", "ada")


async def test_whoever_is_told_is_told_once_however_many_they_are(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks = office.tasks()
    monkeypatch.setattr(tasks, "FOLLOWERS_AT_A_TIME", 2)
    people = [office.charles]
    for number in range(3):
        who = {**GRACE, "username": f"grace{number}", "email": f"grace{number}@conduit.test"}
        people.append(await register(office.http, who))
        await office.http.post("/profiles/ada/follow", headers=people[-1])
    await publish(office.http, office.ada)
    ran = await office.jobs.drain()
    assert len([job for job in ran if job.task == tasks.notify_followers.name]) == 3
    async with office.project.running(Role.COMMAND):
        await tasks.notify_followers.enqueue(article_id=1)  # again, as after a crash
    await office.jobs.drain()
    for person in people:
        assert len((await office.told(person))["notifications"]) == 1


async def test_a_page_of_notifications_costs_two_queries_whatever_its_size(
    office: Office, statements: list[str]
) -> None:
    """The page, and how many have not been seen."""
    for number in range(21):
        await publish(office.http, office.ada, f"Notes {number}")
    await office.jobs.drain()
    await office.told(office.charles)  # who asks costs none once they are known
    for limit in (1, 5, 20):
        statements.clear()
        page = await office.told(office.charles, limit=limit)
        assert (len(page["notifications"]), page["unseenCount"]) == (limit, 21)
        assert len(statements) == 2, statements


async def test_a_digest_has_what_somebody_has_not_seen_and_comes_once(office: Office) -> None:
    for title in ("One", "Two", "Three"):
        await publish(office.http, office.ada, title)
    await office.jobs.drain()
    assert await office.mailed() == []  # they may be reading it
    long_ago = utcnow() - timedelta(hours=2)
    await office.run_sql("UPDATE notifications_notification SET created_at = :at", at=long_ago)
    await office.run_sql(
        "UPDATE notifications_notification SET seen_at = :at WHERE id = 1", at=long_ago
    )
    ((recipient, body),) = await office.mailed()
    assert recipient == "charles@conduit.test"
    assert [line for line in body.splitlines() if line.startswith("*")] == ["* Three", "* Two"]
    assert len(await office.mailed()) == 1  # still the one from before


async def test_statistics_are_for_superusers(office: Office) -> None:
    assert (await office.http.get("/statistics")).status_code == 401
    assert (await office.http.get("/statistics", headers=office.ada)).status_code == 403
    await office.run_sql("UPDATE accounts_user SET is_superuser = true WHERE username = 'charles'")
    answer = await office.http.post(
        "/users/login", json={"user": {"email": CHARLES["email"], "password": CHARLES["password"]}}
    )
    boss = {"Authorization": f"Token {answer.json()['user']['token']}"}
    await publish(office.http, office.ada, tagList=["a", "b"])
    assert (await office.http.get("/statistics", headers=boss)).json() == {
        "users": 2,
        "follows": 1,
        "articles": 1,
        "announced": 0,
        "comments": 0,
        "favorites": 0,
        "tags": 2,
    }
