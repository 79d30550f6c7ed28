"""What `manage check` finds of limits, and of what is well nothing."""

from __future__ import annotations

import pytest

from fastforge.checks import Message, run_checks
from fastforge.exceptions import ErrorGroup
from fastforge.test import client
from tests.folder import ProjectFolder

from .conftest import settings


def found(folder: ProjectFolder, text: str, *, deploy: bool = False) -> list[Message]:
    folder.write({"shop/settings.py": text})
    environment = "production" if deploy else "test"
    project = folder.load({"FASTFORGE_ENV": environment})
    messages = run_checks(project, deploy=deploy).messages
    return [each for each in messages if each.id.startswith("ratelimit.")]


def test_of_a_project_that_is_well_nothing_is_told(folder: ProjectFolder) -> None:
    text = settings("default='9/minute', default_by='tenant'", more="SERVER = {'processes': 1}")
    assert found(folder, text, deploy=True) == []


def test_limits_by_somebody_whom_nobody_can_tell_are_errors(folder: ProjectFolder) -> None:
    folder.write({"shop/orders/callers.py": ""})
    route, default = found(folder, settings("default='9/minute', default_by='user'"))
    assert (default.id, route.id) == ("ratelimit.E020", "ratelimit.E020")
    assert "'user'" in default.text
    assert default.hint == 'add "fastforge.contrib.auth" to INSTALLED_APPS'
    assert "settings.py" in str(default.where)
    assert "'tenant'" in route.text
    assert "routes.py" in str(route.where)


async def test_a_limit_by_nobody_is_told_at_the_request_as_well(folder: ProjectFolder) -> None:
    folder.write({"shop/orders/callers.py": ""})
    async with client(folder.load(), raise_app_exceptions=False) as http:
        answer = await http.get("/tenant")
    assert (answer.status_code, answer.json()["code"]) == (500, "ratelimit.E003")


async def test_a_storage_that_nobody_declares_is_an_error(folder: ProjectFolder) -> None:
    (message,) = found(folder, settings("storage='redis'"))
    assert message.id == "ratelimit.E021"
    assert message.hint == 'add "fastforge.contrib.redis" to INSTALLED_APPS'
    async with client(folder.load(), raise_app_exceptions=False) as http:
        answer = await http.get("/read")
    assert (answer.status_code, answer.json()["code"]) == (500, "ratelimit.E004")


@pytest.mark.parametrize(("processes", "count"), [(1, 0), (3, 1)])
def test_limits_that_each_process_counts_for_itself_are_warned_of(
    folder: ProjectFolder, processes: int, count: int
) -> None:
    text = settings(more=f"SERVER = {{'processes': {processes}}}")
    messages = found(folder, text, deploy=True)
    assert [each.id for each in messages] == ["ratelimit.W001"] * count
    assert all("3 times as often" in each.text for each in messages)


def test_with_redis_they_are_not(folder: ProjectFolder) -> None:
    redis = "from fastforge.contrib.redis import Redis; REDIS = Redis(url='redis://127.0.0.1:1/0')"
    more = f"{redis}; SERVER = {{'processes': 3}}"
    text = settings(apps='"fastforge.contrib.redis", ', more=more)
    assert found(folder, text, deploy=True) == []


def test_limits_of_the_settings_are_refused_in_their_line(folder: ProjectFolder) -> None:
    folder.write({"shop/settings.py": settings("default='often'")})
    with pytest.raises(ErrorGroup, match="'often' is no limit; write '10/minute'") as caught:
        folder.load()
    assert "settings.py" in str(caught.value.errors[0].where)
