"""A registry and settings made by hand, so that the life of a process is tested alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fastforge.components import Component, Registry
from fastforge.conf import Settings, read_settings_module
from fastforge.exceptions import Location
from fastforge.lifecycle import (
    NOTICES,
    RESOURCES,
    SCOPES,
    SERVICES,
    Notice,
    Resource,
    Scope,
    Service,
)
from tests.folder import isolated

MakeRegistry = Callable[..., Registry]


@pytest.fixture
def settings(tmp_path: Path) -> Any:
    with isolated(tmp_path) as folder:
        folder.write({"shop/settings.py": ""})
        from sys import path

        path.insert(0, str(tmp_path))
        raw = read_settings_module("shop.settings", named_by="test", environ={})
        yield Settings({}, declared=(), raw=raw)


@pytest.fixture
def make_registry() -> MakeRegistry:
    def make(*values: Resource[Any] | Service | Scope | Notice) -> Registry:
        kinds = {Resource: RESOURCES, Service: SERVICES, Scope: SCOPES, Notice: NOTICES}
        components = [
            Component(
                kind=kinds[type(value)].name,
                name=value.name,
                value=value,
                app="shop",
                location=Location("shop/resources.py", line),
            )
            for line, value in enumerate(values, start=1)
        ]
        return Registry(
            kinds.values(),
            lambda kind: [each for each in components if each.kind == kind.name],
        )

    return make
