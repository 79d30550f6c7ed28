"""All that is measured of a running project, whoever knows it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fastforge import Project
from fastforge.exceptions import ComponentError
from fastforge.lifecycle import Container, Role
from fastforge.observability.metrics import exporting, metric_source, snapshot
from tests.folder import ProjectFolder, isolated

SOURCES = """
from fastforge.observability.events import Metric, MetricKind
from fastforge.observability.metrics import Sample, metric_source

CARTS = Metric(
    name="shop.carts", kind=MetricKind.GAUGE, unit="{cart}", labels=("kind",), help="Carts."
)
ASKED = Metric(name="shop.asked", kind=MetricKind.COUNTER, unit="1", labels=(), help="Asked.")
asked = 0


@metric_source
def carts(container):
    yield Sample(metric=CARTS, labels=("open",), value=3)


@metric_source
def broken(container):
    raise LookupError("no carts")
    yield


@metric_source(every_s=0.01)
async def questions(container):
    global asked
    asked += 1
    return [Sample(metric=ASKED, value=asked)]


@metric_source(roles=["worker"])
def elsewhere(container):
    raise AssertionError("asked in a command")
"""


EXPORTER = """
from fastforge.lifecycle import current_container, resource
from fastforge.observability.metrics import exporting


@resource
async def exporter():
    with exporting(current_container()):
        yield
"""


def written(folder: ProjectFolder, *, resources: str = "") -> Project:
    folder.write(
        {
            "shop/settings.py": 'INSTALLED_APPS = ["shop.carts"]',
            "shop/carts/metrics.py": SOURCES,
            "shop/carts/resources.py": resources,
        }
    )
    return folder.load()


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with isolated(tmp_path) as folder:
        yield written(folder)


def found(container: Container) -> dict[str, Any]:
    return {each.metric.name: each.value for each in snapshot(container)}


async def test_a_snapshot_has_what_the_process_the_threads_and_the_apps_know(
    project: Project, caplog: pytest.LogCaptureFixture
) -> None:
    async with project.running(Role.COMMAND) as container:
        with exporting(container):
            names = found(container)
            found(container)
    assert names["processes"] == names["process.ready"] == names["build.info"] == 1
    assert names["process.cpu.time"] >= 0
    assert names["process.memory.usage"] > 2**20
    assert names["process.open_file_descriptor.count"] > 2
    assert names["process.thread.count"] >= 1
    assert 1.5e9 < names["process.start_time"] < 1e10
    assert names["resource.up"] == 1
    assert names["shop.carts"] == 3
    failures = [each.message for each in caplog.records if "source" in each.message]
    assert failures == ["the metric source broken fails"]


async def test_async_sources_are_asked_again_and_again_while_a_resource_exports(
    tmp_path: Path,
) -> None:
    with isolated(tmp_path) as folder:
        project = written(folder, resources=EXPORTER)
        async with project.running(Role.COMMAND) as container, asyncio.timeout(30):
            while found(container).get("shop.asked", 0) < 3:
                await asyncio.sleep(0.01)


async def test_async_sources_are_not_asked_where_nobody_exports(project: Project) -> None:
    async with project.running(Role.COMMAND) as container:
        await asyncio.sleep(0.05)
        assert "shop.asked" not in found(container)


async def test_a_snapshot_can_be_taken_by_another_thread(project: Project) -> None:
    async with project.running(Role.COMMAND) as container:
        with exporting(container):
            names = await asyncio.to_thread(found, container)
    assert names["shop.carts"] == 3


def test_a_source_is_a_function() -> None:
    with pytest.raises(ComponentError, match=r"metrics\.E001"):
        metric_source(3)  # type: ignore[call-overload]


async def test_a_process_that_is_told_to_stop_is_not_ready(project: Project) -> None:
    async with project.running(Role.COMMAND) as container:
        container.drain()
        assert found(container)["process.ready"] == 0
