"""A container made by hand, whose jobs are kept in memory."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fastforge.components import Component, Registry
from fastforge.conf import Settings, read_settings_module
from fastforge.exceptions import Location
from fastforge.lifecycle import (
    RESOURCES,
    SCOPES,
    SERVICES,
    Container,
    Resource,
    Role,
    Scope,
    resource,
    running,
)
from fastforge.lifecycle.replacing import replace_resources
from fastforge.tasks import TASK_BACKENDS, TASKS, Backend, MemoryBackend, Task, Tasks
from fastforge.tasks.kinds import JOB_LISTENERS
from fastforge.tasks.listeners import JobListener
from tests.folder import isolated

MakeRegistry = Callable[..., Registry]


@resource
async def memory() -> AsyncIterator[MemoryBackend]:
    yield MemoryBackend()


MEMORY = Backend(name="memory", resource=memory)
KINDS = {
    Resource: RESOURCES,
    Scope: SCOPES,
    Task: TASKS,
    Backend: TASK_BACKENDS,
    JobListener: JOB_LISTENERS,
}


def registry_of(*values: Resource[Any] | Scope | Task[..., Any] | Backend) -> Registry:
    """A registry with these components, found nowhere."""
    components = [
        Component(
            kind=KINDS[type(value)].name,
            name=value.name,
            value=value,
            app="shop",
            location=Location("shop/tasks.py", line),
        )
        for line, value in enumerate(values, start=1)
    ]
    return Registry(
        [*KINDS.values(), SERVICES],
        lambda kind: [each for each in components if each.kind == kind.name],
    )


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    """Settings in which TASKS alone is set."""
    with isolated(tmp_path) as folder:
        folder.write({"shop/settings.py": ""})
        sys.path.insert(0, str(tmp_path))
        raw = read_settings_module("shop.settings", named_by="test", environ={})
        tasks = Tasks(backend="memory", max_attempts=3)
        yield Settings({"TASKS": tasks}, declared=(), raw=raw)


@pytest.fixture
def run_project(settings: Settings) -> Callable[..., Any]:
    """Run a project that has these tasks, scopes and resources besides the memory backend."""

    def run(*values: Any, backend: MemoryBackend | None = None) -> Any:
        registry = registry_of(memory, MEMORY, *values)
        if backend is not None:
            registry = replace_resources(
                registry, {memory: backend}, where=Location("shop/settings.py", 1)
            )
        return running(registry, settings, Role.WORKER)

    return run


@pytest.fixture
async def container(run_project: Callable[..., Any]) -> AsyncIterator[Container]:
    """A running project without tasks."""
    async with run_project() as container:
        yield container


@pytest.fixture
def backend(container: Container) -> MemoryBackend:
    """Where the jobs of `container` are kept."""
    return container[memory]
