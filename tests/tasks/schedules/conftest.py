"""A running project that has schedules as well."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fastforge.components import Component, Registry
from fastforge.conf import Settings
from fastforge.exceptions import Location
from fastforge.lifecycle import Role, running
from fastforge.tasks import SCHEDULES, Schedule
from tests.tasks.conftest import MEMORY, memory, registry_of


@pytest.fixture
def run_project(settings: Settings) -> Callable[..., Any]:
    """Run a project that has these tasks and schedules besides the memory backend."""

    def run(*values: Any) -> Any:
        schedules = [
            Component(
                kind="schedules",
                name=each.name,
                value=each,
                app="shop",
                location=Location("shop/schedules.py", line),
            )
            for line, each in enumerate(values, start=1)
            if isinstance(each, Schedule)
        ]
        others = (each for each in values if not isinstance(each, Schedule))
        registry = registry_of(memory, MEMORY, *others)
        both = Registry(
            [*registry.kinds.values(), SCHEDULES],
            lambda kind: schedules if kind is SCHEDULES else registry.components(kind),
        )
        return running(both, settings, Role.WORKER)

    return run
