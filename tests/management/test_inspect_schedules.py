"""`manage inspect schedules`: when each is due next, by its own clocks and in UTC."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.folder import isolated
from tests.processes import run

FILES = {
    "pyproject.toml": '[tool.fastforge]\nsettings = "shop.settings"\n',
    "shop/settings.py": """
        from fastforge.tasks import Tasks

        INSTALLED_APPS = ["shop.orders"]
        TASKS = Tasks(backend="memory")
        TIME_ZONE = "Asia/Kolkata"
        """,
    "shop/orders/tasks.py": """
        from datetime import timedelta
        from fastforge import every, task

        @task
        async def poll() -> None:
            \"\"\"Ask the bank.\"\"\"

        polling = every(timedelta(seconds=90), poll, name="polling")
        nightly = every("0 3 * * *", poll, name="nightly")
        never = every("0 0 30 2 *", poll, name="never", zone="Europe/Berlin")
        """,
}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    with isolated(tmp_path) as folder:
        folder.write(FILES)
    return tmp_path


def inspect(shop: Path, *arguments: str) -> str:
    return run(
        [sys.executable, "-m", "fastforge", "inspect", "schedules", *arguments], cwd=shop
    ).stdout


def test_the_list_has_three_due_times_of_each(shop: Path) -> None:
    lines = inspect(shop).splitlines()
    assert lines[0].split() == ["NAME", "TIMES", "ZONE", "NEXT", "UTC", "WHERE"]
    assert lines[1].startswith("polling  every 90 s")
    nightly = next(index for index, line in enumerate(lines) if line.startswith("nightly"))
    assert "Asia/Kolkata" in lines[nightly]
    for line in lines[nightly : nightly + 3]:
        assert " 03:00 IST " in line
        assert " 21:30 UTC" in line
    assert lines[-1].split()[:6] == ["never", "0", "0", "30", "2", "*"]


def test_programs_get_the_times_in_iso_form(shop: Path) -> None:
    rows = {row["name"]: row for row in json.loads(inspect(shop, "--json"))}
    assert [time[10:] for time in rows["nightly"]["next"]] == ["T03:00:00+05:30"] * 3
    assert [time[10:] for time in rows["nightly"]["utc"]] == ["T21:30:00+00:00"] * 3
    assert rows["never"]["next"] == []


def test_one_is_shown_with_its_task_and_policies(shop: Path) -> None:
    shown = inspect(shop, "nightly")
    facts = dict(line.split(maxsplit=1) for line in shown.splitlines())
    assert facts["task"] == "shop.orders.tasks.poll"
    assert (facts["catch_up"], facts["overlap"], facts["help"]) == (
        "latest",
        "skip",
        "Ask the bank.",
    )
