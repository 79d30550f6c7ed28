"""One arithmetic says how long a stop may take: that of the limits which the processes go by."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fastforge import Project, Role
from fastforge.core.services import EMBEDDED_WORKER
from fastforge.core.timeline import MARGIN_S, Timeline
from fastforge.ending import ENDS_WITHIN_S
from fastforge.exceptions import SettingsError
from fastforge.lifecycle import SERVICES
from fastforge.lifecycle.supervisor import CANCEL_LIMIT_S
from tests.folder import ProjectFolder, isolated

SETTINGS = """
    from fastforge.core.settings import Server
    from fastforge.tasks import Tasks

    INSTALLED_APPS = ["shop"]
    """
SHOP = {
    "shop/services.py": """
        from fastforge import Role, service

        @service(roles={Role.WORKER}, drain_s=40)
        async def refresh() -> None: ...
        """
}


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        folder.write(SHOP)
        sys.path.insert(0, str(tmp_path))
        yield folder


def load(folder: ProjectFolder, sections: str = "", environment: str = "production") -> Project:
    folder.write({"shop/settings.py": f"{SETTINGS}{sections}"})
    return Project.load("shop.settings", environ={"FASTFORGE_ENV": environment})


def test_a_wait_of_the_platform_takes_the_place_of_the_drain(
    folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FASTFORGE_PRE_STOP_S", "7")
    found = Timeline.of_server(load(folder, "SERVER = Server(pre_stop_s=2, drain_s=3)"))
    assert (found.pre_stop_s, found.drain_s) == (7, 0)
    monkeypatch.setenv("FASTFORGE_PRE_STOP_S", "soon")
    with pytest.raises(SettingsError, match=r"deploy\.E004\] FASTFORGE_PRE_STOP_S is 'soon'; set"):
        Timeline.of_server(load(folder))


def test_a_server_has_the_times_of_its_settings_in_the_order_of_a_stop(
    folder: ProjectFolder,
) -> None:
    project = load(
        folder, "SERVER = Server(pre_stop_s=2, drain_s=3, linger_s=0.5, graceful_s=7, teardown_s=4)"
    )
    found = Timeline.of_server(project)
    assert (found.pre_stop_s, found.drain_s, found.linger_s, found.graceful_s) == (2, 3, 0.5, 7)
    assert found.teardown_s == 4
    assert found.exit_s == ENDS_WITHIN_S
    parts = found.drain_s + found.linger_s + found.graceful_s + found.cancel_s
    assert found.stop_s == parts + found.services_s + found.teardown_s + found.exit_s
    assert found.kill_after_s == found.pre_stop_s + found.stop_s + MARGIN_S


def test_the_services_count_as_the_slowest_of_the_role_does(folder: ProjectFolder) -> None:
    project = load(folder)
    declared = {each.name: each.drain_s for each in project.registry.values(SERVICES)}
    assert Timeline.of_worker(project).services_s == 40 + CANCEL_LIMIT_S
    assert Timeline.of_server(project).services_s == declared["offload_watch"] + CANCEL_LIMIT_S


def test_a_worker_inside_the_server_counts_where_there_is_one(
    folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = load(folder)
    without = Timeline.of_server(project)
    monkeypatch.setenv(EMBEDDED_WORKER, "1")
    embedded = max(
        each.drain_s for each in project.registry.values(SERVICES) if Role.WEB in each.roles
    )
    assert Timeline.of_server(project).services_s == embedded + CANCEL_LIMIT_S > without.services_s


def test_a_worker_has_the_time_of_its_jobs_and_no_listener_to_drain(folder: ProjectFolder) -> None:
    found = Timeline.of_worker(load(folder, "TASKS = Tasks(drain_s=11)"))
    assert (found.pre_stop_s, found.drain_s, found.linger_s, found.graceful_s) == (0, 0, 0, 11)
    assert found.cancel_s > 0


def test_drain_and_linger_are_those_of_the_environment_that_is_asked_for(
    folder: ProjectFolder,
) -> None:
    here = load(folder, environment="development")
    assert (Timeline.of_server(here).drain_s, Timeline.of_server(here).linger_s) == (0, 0)
    there = Timeline.of_server(here, environment="production")
    assert (there.drain_s, there.linger_s) == (5, 1)
    assert there == Timeline.of_server(load(folder))


def test_the_sum_is_said_in_words_without_what_takes_no_time(folder: ProjectFolder) -> None:
    found = Timeline(graceful_s=2.5, cancel_s=1, services_s=0, teardown_s=10, exit_s=3)
    assert found.arithmetic == "2.5 graceful + 1 cancel + 10 teardown + 3 exit + 5 margin = 21.5 s"
