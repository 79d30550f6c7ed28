"""The file for Compose is understood by Compose, and has what the settings need and no more."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .conftest import Shop, new_shop, time_of_a_stop

COMPOSE = Path(sys.executable).parent / "docker-compose"


def understood(shop: Shop, folder: Path, *, password: str = "pa55") -> dict[str, Any]:
    """What Compose makes of the file: it needs no Docker to read it."""
    copy = shutil.copytree(shop.folder, folder / "copy")
    sample = (copy / "production.env.example").read_text()
    filled = sample.replace("POSTGRES_PASSWORD=", f"POSTGRES_PASSWORD={password}")
    (copy / "production.env").write_text(filled)
    command = [COMPOSE, "--env-file", "production.env", "config", "--format", "json"]
    done = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@pytest.fixture(scope="module")
def services(deployed: Shop, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    found: dict[str, Any] = understood(deployed, tmp_path_factory.mktemp("compose"))["services"]
    return found


def test_it_has_what_the_settings_need(services: dict[str, Any]) -> None:
    assert set(services) == {"migrate", "postgres", "redis", "web", "worker"}
    given = services["web"]["environment"]
    assert given["DATABASE_URL"] == "postgresql+asyncpg://shop:pa55@postgres:5432/shop?ssl=disable"
    assert given["REDIS_URL"] == "redis://redis:6379/0"


def test_what_runs_the_project_cannot_change_it(services: dict[str, Any]) -> None:
    for name in ("web", "worker", "migrate"):
        service = services[name]
        assert service["read_only"] is True
        assert service["tmpfs"] == ["/tmp"]
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]


def test_it_starts_when_what_it_needs_is_there(services: dict[str, Any]) -> None:
    def needed(name: str) -> dict[str, str]:
        return {each: how["condition"] for each, how in services[name]["depends_on"].items()}

    there = {"postgres": "service_healthy", "redis": "service_healthy"}
    assert needed("migrate") == there
    assert needed("web") == there | {"migrate": "service_completed_successfully"}
    assert needed("worker") == needed("web")
    assert services["migrate"]["restart"] == "no"


def test_it_is_given_the_time_that_a_stop_takes(services: dict[str, Any], deployed: Shop) -> None:
    text = deployed.text("compose.yaml")
    web = time_of_a_stop(text, "5 drain", "1 linger", "25 graceful", "10 teardown", "5 margin")
    assert services["web"]["stop_grace_period"] == f"{web}s"
    assert services["worker"]["stop_grace_period"].endswith("s")


def test_the_server_is_reached_from_this_host_alone(services: dict[str, Any]) -> None:
    (port,) = services["web"]["ports"]
    assert (port["host_ip"], port["published"], port["target"]) == ("127.0.0.1", "8000", 8000)
    assert all("ports" not in service for name, service in services.items() if name != "web")


def test_nothing_starts_without_the_password(deployed: Shop) -> None:
    command = [COMPOSE, "config", "--quiet"]
    done = subprocess.run(command, cwd=deployed.folder, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "POSTGRES_PASSWORD is missing a value: write it into production.env" in done.stderr


def test_the_sample_asks_for_what_compose_does_not_give(deployed: Shop) -> None:
    lines = deployed.text("production.env.example").splitlines()
    assert "SECRET_KEY=" in lines
    assert "REGION=..." in lines
    assert "# PARTNERS=7" in lines
    assert "# PARTNER_KEY=" in lines
    assert not [line for line in lines if "DATABASE_URL" in line or "REDIS_URL" in line]


def test_parts_that_are_not_needed_are_left_out(tmp_path: Path) -> None:
    settings = """
    INSTALLED_APPS = ["shop"]
    del DATABASES, REDIS
    HEALTH = {"ready_path": ""}
    """
    shop = new_shop(tmp_path / "bare", settings=settings)
    shop.manage("deploy", "compose")
    config = understood(shop, tmp_path)
    assert set(config["services"]) == {"web"}
    assert "volumes" not in config
    assert {"depends_on", "healthcheck"}.isdisjoint(config["services"]["web"])


def test_without_a_task_there_is_no_worker(tmp_path: Path) -> None:
    shop = new_shop(tmp_path / "idle", tasks="")
    shop.manage("deploy", "compose")
    assert "worker" not in understood(shop, tmp_path)["services"]


def test_there_are_as_many_workers_as_the_settings_count_and_redis_keeps_their_jobs(
    tmp_path: Path,
) -> None:
    settings = """
    TASKS = Tasks(backend="arq", processes=3, drain_s=60)
    INSTALLED_APPS = [*INSTALLED_APPS, "fastforge.contrib.arq"]
    """
    shop = new_shop(tmp_path / "busy", settings=settings)
    shop.manage("deploy", "compose")
    config = understood(shop, tmp_path)
    assert config["services"]["worker"]["scale"] == 3
    assert "noeviction" in config["services"]["redis"]["command"]
    assert set(config["volumes"]) == {"postgres", "redis"}


def test_the_image_is_built_in_the_projects_folder(shop: Shop, tmp_path: Path) -> None:
    shop.manage("deploy", "compose", "ops/compose")
    (document,) = shop.documents("ops/compose/compose.yaml")
    assert (shop.folder / "ops/compose" / document["services"]["web"]["build"]).samefile(
        shop.folder
    )
