"""How many processes serve: what is written, else what a container was given and apps allow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from fastforge import Project
from fastforge.core import processes
from fastforge.core.processes import cpu_quota, plan_processes, servers_of, workers_of
from fastforge.exceptions import CommandError
from tests.folder import ProjectFolder, isolated

UNIFIED = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
SPLIT = (
    "31 23 0:27 / /sys/fs/cgroup ro - tmpfs tmpfs ro,mode=755\n"
    "32 31 0:28 / /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n"
    "33 31 0:29 {root} /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct\n"
)


@pytest.fixture
def many_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_allowed", lambda: 64)


def machine(root: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


@pytest.mark.usefixtures("many_processors")
@pytest.mark.parametrize(
    ("files", "cpus"),
    [
        pytest.param({}, 64, id="no groups at all"),
        pytest.param(
            {
                "proc/self/mountinfo": UNIFIED,
                "proc/self/cgroup": "0::/\n",
                "sys/fs/cgroup/cpu.max": "150000 100000\n",
            },
            1.5,
            id="unified, inside a container",
        ),
        pytest.param(
            {
                "proc/self/mountinfo": UNIFIED,
                "proc/self/cgroup": "0::/system.slice/shop.service\n",
                "sys/fs/cgroup/system.slice/cpu.max": "200000 100000\n",
                "sys/fs/cgroup/system.slice/shop.service/cpu.max": "max 100000\n",
            },
            2,
            id="unified, limited by the group above",
        ),
        pytest.param(
            {
                "proc/self/mountinfo": SPLIT.format(root="/docker/1f"),
                "proc/self/cgroup": "4:memory:/docker/1f\n3:cpu,cpuacct:/docker/1f\n0::/\n",
                "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "50000\n",
                "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
            },
            0.5,
            id="split, of which a container sees its own part",
        ),
        pytest.param(
            {
                "proc/self/mountinfo": SPLIT.format(root="/"),
                "proc/self/cgroup": "3:cpu,cpuacct:/shop\n",
                "sys/fs/cgroup/cpu,cpuacct/shop/cpu.cfs_quota_us": "-1\n",
                "sys/fs/cgroup/cpu,cpuacct/shop/cpu.cfs_period_us": "100000\n",
            },
            64,
            id="split, without a limit",
        ),
        pytest.param(
            {
                "proc/self/mountinfo": UNIFIED,
                "proc/self/cgroup": "0::/../outside\n",
                "sys/fs/cgroup/cpu.max": "300000 100000\n",
            },
            3,
            id="moved into the group from outside",
        ),
    ],
)
def test_a_container_has_the_cpus_of_its_quota(
    tmp_path: Path, files: Mapping[str, str], cpus: float
) -> None:
    assert cpu_quota(machine(tmp_path, files)) == cpus


def test_this_machine_has_some() -> None:
    assert 0 < cpu_quota() <= processes._allowed()


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        folder.write({"shop/settings.py": ""})
        yield folder


def load(shop: ProjectFolder, server: str = "", more: str = "") -> Project:
    text = f"from fastforge.core.settings import Server\nSERVER = Server({server})\n{more}"
    shop.write({"shop/settings.py": text})
    return shop.load()


def test_what_is_written_decides_the_nearest_first(shop: ProjectFolder) -> None:
    environ = {"WEB_CONCURRENCY": "5"}
    settings = load(shop, "workers=4").settings
    found = plan_processes(settings, asked=3, environ=environ)
    assert (found.number, found.reason) == (3, "--workers")
    found = plan_processes(settings, environ=environ)
    assert (found.number, found.reason) == (4, "SERVER.workers")


def test_a_platform_may_say_the_number(shop: ProjectFolder) -> None:
    settings = load(shop).settings
    assert plan_processes(settings, environ={"WEB_CONCURRENCY": "5"}).number == 5
    with pytest.raises(CommandError, match=r"server\.E007\] WEB_CONCURRENCY is 'auto'; set it to"):
        plan_processes(settings, environ={"WEB_CONCURRENCY": "auto"})


@pytest.mark.parametrize(
    ("cpus", "work", "number"),
    [(2, "io", 4), (2, "cpu", 2), (0.5, "io", 1), (0.5, "cpu", 1), (1.5, "io", 3), (1.5, "cpu", 2)],
)
def test_else_there_are_more_than_cpus_for_work_that_waits_and_as_many_for_work_that_computes(
    shop: ProjectFolder, monkeypatch: pytest.MonkeyPatch, cpus: float, work: str, number: int
) -> None:
    monkeypatch.setattr(processes, "cpu_quota", lambda: cpus)
    monkeypatch.delenv("WEB_CONCURRENCY", raising=False)
    settings = load(shop, f"work={work!r}").settings
    assert workers_of(settings) == number
    first, second = plan_processes(settings).rule
    assert first.startswith(f"{number} process")
    assert f"{cpus:g} CPU" in first
    assert f'SERVER.work = "{work}"' in first
    assert "--workers" in second


def test_the_pools_of_a_database_set_a_limit_that_is_told(
    shop: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "cpu_quota", lambda: 64.0)
    monkeypatch.delenv("WEB_CONCURRENCY", raising=False)
    database = """
INSTALLED_APPS = ["fastforge.contrib.db"]
from fastforge.contrib.db import Database
DATABASES = {"default": Database(url="postgresql+asyncpg://u:p@h/n", pool_size=5)}
"""
    found = plan_processes(load(shop, more=database).settings)
    assert found.number == 9  # twice as many have 90 of 97 connections during a rolling restart
    assert "128 would be 2 for each of 64 CPUs" in found.reason
    assert 'DATABASES["default"] allows 9: 97 connections' in found.reason
    assert plan_processes(load(shop, "workers=40", database).settings).number == 40


@pytest.mark.usefixtures("many_processors")
def test_all_hosts_together_have_the_number_that_is_written_else_that_of_one_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "cpu_quota", lambda: 3.0)
    monkeypatch.delenv("WEB_CONCURRENCY", raising=False)
    with isolated(tmp_path) as folder:
        folder.write({"shop/settings.py": "SERVER = {}\n"})
        here, production = folder.load(), folder.load({"FASTFORGE_ENV": "production"})

    def counted(project: Project, **server: int) -> int:
        return servers_of(project.overriding(settings={"SERVER": server}).settings)

    assert (counted(here), counted(production)) == (1, 6)
    assert (counted(here, workers=4), counted(production, workers=4)) == (4, 4)
    assert counted(production, workers=4, processes=12) == 12
