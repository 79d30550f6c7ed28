"""The units are understood by systemd, keep the process from what it does not need, and wait."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from .conftest import Shop, new_shop, time_of_a_stop

ANALYZE = shutil.which("systemd-analyze")
MOST_EXPOSED = 2.0
"""What systemd calls "OK" begins below 5; a service with no restriction has 9.6."""


def units(shop: Shop) -> Mapping[str, str]:
    folder = shop.folder / "deploy/systemd"
    return {path.name: path.read_text() for path in folder.glob("shop-*")}


def options(text: str) -> dict[str, str]:
    """The last value of each option of a unit."""
    lines = [line for line in text.splitlines() if line and not line.startswith(("#", "["))]
    assert all("=" in line for line in lines)
    return dict(line.split("=", 1) for line in lines)


def test_there_is_a_unit_for_each_part(deployed: Shop) -> None:
    assert set(units(deployed)) == {
        "shop-web.socket",
        "shop-web.service",
        "shop-worker@.service",
        "shop-migrate.service",
    }


@pytest.mark.skipif(ANALYZE is None, reason="systemd is not part of this system")
def test_systemd_finds_no_fault(deployed: Shop, tmp_path: Path) -> None:
    """With a Python that is there, in place of the one of the host."""
    for name, text in units(deployed).items():
        there = text.replace("/srv/shop/.venv/bin/python", sys.executable)
        (tmp_path / name.replace("@", "@1")).write_text(there)
    assert ANALYZE
    for path in tmp_path.iterdir():
        command = [ANALYZE, "verify", "--man=no", str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(ANALYZE is None, reason="systemd is not part of this system")
def test_little_of_the_host_is_exposed(deployed: Shop) -> None:
    assert ANALYZE
    for name in units(deployed):
        if name.endswith(".socket"):
            continue
        unit = deployed.folder / "deploy/systemd" / name
        command = [ANALYZE, "security", "--offline=true", "--no-pager", str(unit)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        level = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
        assert level and float(level[1]) <= MOST_EXPOSED, done.stdout + done.stderr


def test_each_is_given_the_time_that_its_stop_takes(deployed: Shop) -> None:
    web = options(units(deployed)["shop-web.service"])
    stop_s = time_of_a_stop(units(deployed)["shop-web.service"], "5 drain", "25 graceful")
    assert web["TimeoutStopSec"] == str(stop_s)
    assert web["ExecStart"] == "/srv/shop/.venv/bin/python manage.py runserver 127.0.0.1:8000"
    worker = options(units(deployed)["shop-worker@.service"])
    assert worker["ExecStart"] == "/srv/shop/.venv/bin/python manage.py runworker"
    assert int(worker["TimeoutStopSec"]) > 25
    assert options(units(deployed)["shop-migrate.service"])["Type"] == "oneshot"


def test_the_address_stays_open_while_the_server_restarts(deployed: Shop) -> None:
    found = units(deployed)
    assert options(found["shop-web.socket"])["ListenStream"] == "127.0.0.1:8000"
    web = options(found["shop-web.service"])
    assert web["Requires"] == "shop-web.socket"
    assert web["After"].split()[0] == "shop-web.socket"


@pytest.mark.parametrize(
    ("server", "reloads"),
    [("workers=2", True), ("workers=1", False), ('work="io"', True), ('work="cpu"', False)],
)
def test_code_is_reloaded_where_a_manager_hears_of_it(
    tmp_path: Path, server: str, reloads: bool
) -> None:
    """A server that is one process would end of the same signal."""
    shop = new_shop(tmp_path, settings=f"SERVER = Server({server})")
    shop.manage("deploy", "systemd")
    web = options(units(shop)["shop-web.service"])
    assert ("ExecReload" in web) is reloads


def test_a_wait_before_the_signal_is_a_command_of_its_own(tmp_path: Path) -> None:
    """systemd counts TimeoutStopSec anew for the signal."""
    shop = new_shop(tmp_path, settings="SERVER = Server(pre_stop_s=4, drain_s=2)")
    shop.manage("deploy", "systemd")
    web = options(units(shop)["shop-web.service"])
    stop_s = time_of_a_stop(units(shop)["shop-web.service"], "2 drain")
    assert (web["ExecStop"], web["TimeoutStopSec"]) == ("sleep 4", str(stop_s))


def test_secrets_are_in_a_file_of_its_own(deployed: Shop) -> None:
    for name, text in units(deployed).items():
        if name.endswith(".service"):
            assert options(text)["EnvironmentFile"] == "/etc/shop/production.env"
    sample = deployed.text("deploy/systemd/production.env.example")
    assert "DATABASE_URL=postgresql+asyncpg://USER:PASSWORD@HOST:5432/shop\n" in sample
    assert "REDIS_URL=redis://:PASSWORD@HOST:6379/0\n" in sample
    assert "\nSECRET_KEY=\n" in sample


def test_parts_that_are_not_needed_are_left_out(tmp_path: Path) -> None:
    settings = '\n    INSTALLED_APPS = ["shop"]\n    del DATABASES, REDIS\n'
    shop = new_shop(tmp_path, settings=settings)
    output, _ = shop.manage("deploy", "systemd")
    assert set(units(shop)) == {"shop-web.socket", "shop-web.service"}
    assert "migrate" not in output
