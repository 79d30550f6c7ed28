"""What the framework's own examinations say of versions, clocks and limits."""

from __future__ import annotations

import resource
from pathlib import Path
from typing import NamedTuple

import pytest

from fastforge.checks import Diagnosis, Patient
from fastforge.checks.clock import ClockReading
from fastforge.core.examinations import basics, host
from fastforge.core.examinations.versions import Package
from fastforge.core.processes import memory_limit
from tests.folder import isolated


class Usage(NamedTuple):
    """What `shutil.disk_usage` gives."""

    total: int
    used: int
    free: int


@pytest.mark.parametrize(
    ("version", "range_", "fits"),
    [
        ("2.1.9", ">=2.1.9,<2.2", True),
        ("2.1.10", ">=2.1.9,<2.2", True),
        ("2.2", "<2.2,>=2.1.9", False),
        ("2.2.0", ">=2.2", True),
        ("0.28.1.post1", ">=0.28,<1", True),
        ("8.0.0b1", "<9,>=5.2", True),
        ("5.1", ">=5.2", False),
        ("1.0", "!=1.0", False),
        ("1.0", "==1.0.0", True),
        ("3", "", True),
    ],
)
def test_a_version_lies_in_a_range_or_not(version: str, range_: str, fits: bool) -> None:
    assert Package(name="it", version=version, range=range_).fits is fits


@pytest.mark.parametrize(
    ("asked", "said", "answered", "verdict", "text"),
    [
        (100.0, 100.05, 100.1, "ok", "as ours, within 50 ms"),
        (100.0, 100.9, 100.0, "ok", "as ours, within 900 ms"),
        (100.0, 103.0, 104.0, "ok", "as ours, within 2000 ms"),
        (100.0, 102.0, 100.0, "warn", "2.0 s ahead of ours: leases and due times are off by that"),
        (100.0, 60.0, 100.0, "fail", "40.0 s behind ours: leases and due times are off by that"),
    ],
)
def test_a_clock_is_told_as_far_as_its_answer_was_quick(
    asked: float, said: float, answered: float, verdict: str, text: str
) -> None:
    row = ClockReading.between(asked, said, answered).diagnosis(of="it")
    assert (row.verdict, row.text, row.of) == (verdict, text, "it")


@pytest.mark.parametrize(
    ("files", "limit"),
    [
        (
            {
                "proc/self/cgroup": "0::/app\n",
                "proc/self/mountinfo": "1 2 0:1 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
                "sys/fs/cgroup/app/memory.max": "268435456\n",
                "sys/fs/cgroup/memory.max": "max\n",
            },
            268435456,
        ),
        (
            {
                "proc/self/cgroup": "4:memory:/app\n3:cpu:/\n",
                "proc/self/mountinfo": "1 2 0:1 / /sys/fs/cgroup/memory rw - cgroup c rw,memory\n",
                "sys/fs/cgroup/memory/app/memory.limit_in_bytes": "1048576\n",
                "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
            },
            1048576,
        ),
        ({}, None),
    ],
)
def test_the_memory_of_a_container_is_read_from_either_cgroup(
    tmp_path: Path, files: dict[str, str], limit: int | None
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert memory_limit(tmp_path) == limit


def rows_of(tmp_path: Path, module: object, settings: str = "") -> dict[str, Diagnosis]:
    with isolated(tmp_path) as folder:
        folder.write({"shop/settings.py": settings})
        function = getattr(module, "host", None) or getattr(module, "process")  # noqa: B009
        patient = Patient(project=folder.load())
        return {row.what: row for row in function.function(patient)}


def test_too_few_files_for_the_connections_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = """
        from fastforge.contrib.db import Database
        from fastforge.contrib.http import ExternalHttp, Http

        INSTALLED_APPS = ["fastforge.contrib.db", "fastforge.contrib.http"]
        DATABASES = {"default": Database(url="postgresql+asyncpg://db/shop", pool_size=30)}
        HTTP = Http(max_connections=50)
        EXTERNAL_HTTP = ExternalHttp(max_connections=20)
        """
    for limit, verdict in ((100, "fail"), (512, "warn"), (4096, "ok")):
        monkeypatch.setattr(resource, "getrlimit", lambda _, limit=limit: (limit, limit))
        row = rows_of(tmp_path, host, settings)["open files"]
        assert row.verdict == verdict
        assert f"{limit:,} for a process: 100 for connections to others" in row.text


def test_a_full_disk_and_little_memory_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host.shutil, "disk_usage", lambda _: Usage(10, 10, 5 * 2**20))
    monkeypatch.setattr(host, "memory_limit", lambda: 128 * 2**20)
    rows = rows_of(tmp_path, host, 'SERVER = {"workers": 2}')
    assert rows["temporary files"].text.startswith("5 MiB free in ")
    assert rows["temporary files"].verdict == rows["memory"].verdict == "warn"
    assert rows["memory"].text == "128 MiB; 200 MiB or more for 2 server processes"


def test_a_folder_that_is_missing_is_told(tmp_path: Path) -> None:
    row = host.free_space(tmp_path / "gone", "disk")
    assert (row.verdict, row.text) == ("fail", f"{tmp_path / 'gone'}: No such file or directory")


def test_a_package_outside_of_its_range_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = Package(name="fastapi", version="0.1", range="<0.166,>=0.165")
    monkeypatch.setattr(basics, "packages", lambda _: [old])
    row = rows_of(tmp_path, basics)["fastapi"]
    assert row.verdict == "warn"
    assert row.text == "0.1 is installed, and fastforge is made for <0.166,>=0.165"
