"""What opens and closes in a process can be read from a file, also of one that was killed."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from fastforge.conf import Settings
from fastforge.lifecycle import Resource, Role, resource, running
from fastforge.lifecycle.diary import DIARY_VARIABLE

from .conftest import MakeRegistry


def shelf(name: str, *needs: Resource[Any], fails: bool = False) -> Resource[Any]:
    @resource(name=name, needs=needs)
    async def each() -> AsyncIterator[str]:
        yield name
        if fails:
            raise RuntimeError("stuck")

    return each


def written(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "lifecycle.jsonl"
    monkeypatch.setenv(DIARY_VARIABLE, str(path))
    return path


async def test_a_line_is_written_for_whatever_opens_and_closes(
    make_registry: MakeRegistry, settings: Settings, file: Path
) -> None:
    first = shelf("first")
    second = shelf("second", first, fails=True)
    async with running(make_registry(first, second), settings, Role.WEB):
        pass
    lines = written(file)
    assert [(line["event"], line.get("resource")) for line in lines] == [
        ("starting", None),
        ("opened", "first"),
        ("opened", "second"),
        ("running", None),
        ("stopping", None),
        ("not closed", "second"),
        ("closed", "first"),
        ("ended", None),
    ]
    assert {(line["pid"], line["role"]) for line in lines} == {(os.getpid(), "web")}


async def test_a_file_that_cannot_be_written_is_one_warning_and_keeps_nothing_from_running(
    make_registry: MakeRegistry,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv(DIARY_VARIABLE, str(tmp_path))
    first = shelf("first")
    with caplog.at_level(logging.WARNING):
        async with running(make_registry(first), settings, Role.WEB) as container:
            assert container[first] == "first"
    assert caplog.messages == [f"{DIARY_VARIABLE} cannot be written: Is a directory"]
