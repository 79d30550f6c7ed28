"""A platform that kills too early, or starts another server, is told before a release."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fastforge import Project
from fastforge.checks import Message, run_checks
from fastforge.management.deploy.compose import compose_files
from fastforge.management.deploy.deployment import deployment_of
from fastforge.management.deploy.kubernetes import kubernetes_files
from fastforge.management.deploy.systemd import systemd_files
from tests.folder import ProjectFolder, isolated

SHOP = {
    "shop/settings.py": """
        from fastforge.conf import env
        from fastforge.contrib.db import Database

        INSTALLED_APPS = ["fastforge.contrib.db", "fastforge.contrib.jobs", "shop"]
        DATABASES = {"default": Database(url=env("DATABASE_URL"))}
        """,
    "shop/tasks.py": """
        from fastforge import task

        @task
        async def ship() -> None: ...
        """,
    "Dockerfile": 'FROM python:3.14\nCMD ["python", "manage.py", "runserver", "0.0.0.0:8000"]\n',
}
ENVIRON = {"FASTFORGE_ENV": "production", "DATABASE_URL": "postgresql+asyncpg://u@h/n"}
GENERATED = {
    "deploy/kubernetes": kubernetes_files,
    "deploy/systemd": systemd_files,
    ".": compose_files,
}


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        folder.write(SHOP)
        yield folder


def found(folder: ProjectFolder, check_id: str, **server: Any) -> list[Message]:
    project = folder.load(ENVIRON)
    changed = project.overriding(settings={"SERVER": server}) if server else project
    messages = run_checks(changed, deploy=True, tags=["server"])
    return [each for each in messages if each.id == check_id]


def places(folder: ProjectFolder, messages: list[Message]) -> set[str]:
    files = {each.where.file for each in messages if each.where}
    return {str(Path(file).relative_to(folder.path)) for file in files}


# --- when a platform kills -----------------------------------------------------------------------


def write_deployment(folder: ProjectFolder, project: Project) -> None:
    for where, make in GENERATED.items():
        (folder.path / where).mkdir(parents=True, exist_ok=True)
        for name, text in make(deployment_of(project), folder.path / where).items():
            (folder.path / where / name).write_text(text)


def test_the_files_of_manage_deploy_fit_until_the_settings_have_moved_on(
    folder: ProjectFolder,
) -> None:
    write_deployment(folder, folder.load(ENVIRON))
    assert found(folder, "deploy.E020") == []
    late = found(folder, "deploy.E020", graceful_s=26)
    web = {"compose.yaml", "deploy/kubernetes/web.yaml", "deploy/systemd/shop-web.service"}
    assert places(folder, late) == web
    assert all("is killed 58 s after" in each.text for each in late)
    assert all("26 graceful" in each.text and "= 59 s" in each.text for each in late)
    assert all(each.hint.startswith("write 59, or run: manage deploy ") for each in late)
    assert any("5 pre-stop + 1 linger" in each.text for each in late)  # it takes the drain's place
    both = found(folder, "deploy.E020", teardown_s=11)
    workers = {"deploy/kubernetes/worker.yaml", "deploy/systemd/shop-worker@.service"}
    assert places(folder, both) == web | workers
    assert sum("the worker is killed" in each.text for each in both) == 3


COMMAND = 'command: ["python", "manage.py", "runserver"]'
BY_HAND = {
    "kubernetes": (
        "k8s/web.yml",
        f"kind: Deployment\nspec:\n  template:\n    spec:\n      containers:\n      - {COMMAND}\n",
        "30 s after it was told to stop (terminationGracePeriodSeconds unless written)",
    ),
    "compose": (
        "docker-compose.yml",
        f"services:\n  db:\n    image: postgres\n  web:\n    build: .\n    {COMMAND}\n",
        "10 s after it was told to stop (stop_grace_period unless written)",
    ),
    "compose, by what the image starts": (
        "compose.yaml",
        "services:\n  db:\n    image: postgres\n  web:\n    build: .\n    stop_grace_period: 0m55s",
        "55 s after it was told to stop (stop_grace_period)",
    ),
    "systemd": (
        "shop.service",
        "[Service]\nExecStart=/usr/bin/python manage.py runserver\nTimeoutStopSec=1min 4s\n",
        "64 s after it was told to stop (TimeoutStopSec)",
    ),
}


@pytest.mark.parametrize("platform", BY_HAND)
def test_files_that_are_written_by_hand_are_read_too(folder: ProjectFolder, platform: str) -> None:
    name, text, told = BY_HAND[platform]
    folder.write({name: text})
    (message,) = found(folder, "deploy.E020", teardown_s=20)
    assert told in message.text
    assert message.where is not None
    assert found(folder, "deploy.E020", teardown_s=20)[0].where == message.where


@pytest.mark.parametrize(
    "text",
    [
        "[Service]\nExecStart=/usr/bin/python manage.py runserver\nTimeoutStopSec=infinity\n",
        "[Service]\nExecStart=/usr/bin/python manage.py runserver\n",  # 90 s
        "[Service]\nExecStart=/usr/bin/postgres\nTimeoutStopSec=1\n",
        "[Service]\n# ExecStart=/usr/bin/python manage.py runserver\nTimeoutStopSec=1\n",
    ],
)
def test_what_waits_for_long_or_runs_something_else_is_left_out(
    folder: ProjectFolder, text: str
) -> None:
    folder.write({"shop.service": text})
    assert found(folder, "deploy.E020") == []


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("docker-compose.dev.yml", ""),
        ("compose.override.yaml", ""),
        ("compose.yaml", "    environment:\n      FASTFORGE_ENV: development\n"),
        ("compose.yaml", "    environment: [FASTFORGE_ENV=development]\n"),
    ],
)
def test_what_is_for_development_is_left_out(folder: ProjectFolder, name: str, more: str) -> None:
    folder.write({name: f"{BY_HAND['compose'][1]}{more}"})
    assert found(folder, "deploy.E020") == []


def test_a_pause_before_the_signal_counts_where_the_platform_counts_it(
    folder: ProjectFolder,
) -> None:
    pause = "lifecycle: { preStop: { sleep: { seconds: 20 } } }"
    name, text, _ = BY_HAND["kubernetes"]
    folder.write({name: f"{text}        {pause}\n"})
    (message,) = found(folder, "deploy.E020")
    assert "20 pre-stop + 5 drain" in message.text
    assert "= 78 s" in message.text


def test_more_pods_than_connections_are_counted_for_are_told_until_the_settings_say_it(
    folder: ProjectFolder,
) -> None:
    project = folder.load(ENVIRON)
    write_deployment(folder, project)
    (message,) = found(folder, "deploy.W021")
    assert message.text == (
        "6 pods x 1 process = 6 may serve, and connections are counted for those of one host"
        " (SERVER.processes)"
    )
    assert message.hint.startswith("write SERVER = Server(processes=6)")
    assert places(folder, [message]) == {"deploy/kubernetes/web.yaml"}
    assert found(folder, "deploy.W021", processes=6) == []
    (larger,) = found(folder, "deploy.W021", processes=6, workers=2)
    assert larger.text.startswith("6 pods x 2 processes = 12 may serve, and connections are")
    counted = project.overriding(settings={"SERVER": {"processes": 13, "workers": 2}})
    write_deployment(folder, counted)  # what is written anew fits
    assert found(folder, "deploy.W021", processes=13, workers=2) == []


def test_replicas_of_a_manifest_by_hand_are_counted_where_it_says_what_one_has(
    folder: ProjectFolder,
) -> None:
    name, text, _ = BY_HAND["kubernetes"]
    folder.write({name: text.replace("spec:", "spec:\n  replicas: 3", 1)})
    assert found(folder, "deploy.W021") == []
    (message,) = found(folder, "deploy.W021", workers=4)
    assert message.text.startswith("3 pods x 4 processes = 12 may serve")


# --- other servers -------------------------------------------------------------------------------

DRAIN, LIMITS, SOCKETS = "no SERVER.drain_s", "no header_timeout_s", "no websocket_pong_s"
LAUNCHES = {
    "web: uvicorn shop.asgi:app --host 0.0.0.0": (
        "uvicorn serves",
        [DRAIN, "--timeout-graceful-shutdown", LIMITS, SOCKETS],
    ),
    "web: uvicorn shop.asgi:app --workers 4 --timeout-graceful-shutdown 25": (
        "uvicorn serves",
        [DRAIN, "exit code 0", LIMITS, SOCKETS],
    ),
    "web: uvicorn --http fastforge.server.protocol.connection:Connection shop.asgi:app": (
        "uvicorn serves",
        [DRAIN, "--timeout-graceful-shutdown", SOCKETS],
    ),
    "web: fastapi run --workers=2 shop/asgi.py": (
        "uvicorn serves",
        [DRAIN, "--timeout-graceful-shutdown", "exit code 0", LIMITS, SOCKETS],
    ),
    "web: exec gunicorn -w4 -k uvicorn_worker.UvicornWorker shop.asgi:app": (
        "gunicorn with the worker class uvicorn_worker.UvicornWorker serves",
        [DRAIN, "--graceful-timeout is cut off", LIMITS, SOCKETS],
    ),
    "web: gunicorn --worker-class=asgi shop.asgi:app": (
        "gunicorn with the worker class asgi serves",
        [DRAIN, "without a close code", LIMITS, SOCKETS],
    ),
    "web: granian --interface asgi shop.asgi:app": (
        "granian serves",
        [DRAIN, "without a close code", LIMITS],
    ),
    "web: uvicorn --ws fastforge.server.protocol:WebSocketProtocol shop.asgi:app": (
        "uvicorn serves",
        [DRAIN, "--timeout-graceful-shutdown", LIMITS],
    ),
}


@pytest.mark.parametrize("line", LAUNCHES)
def test_another_server_is_told_with_what_it_lacks(folder: ProjectFolder, line: str) -> None:
    name, lacks = LAUNCHES[line]
    folder.write({"Procfile": f"# the server\n{line}\nworker: python manage.py runworker\n"})
    (message,) = found(folder, "server.W010")
    assert message.text.startswith(name)
    told = re.sub(r"^.*has: ", "", message.text).split("; ")
    assert len(told) == len(lacks)
    assert all(part in each for part, each in zip(lacks, told, strict=True))
    assert str(message.where).endswith("Procfile:2")


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("Dockerfile", 'FROM x\nCMD ["uvicorn", "shop.asgi:app", "--port", "80"]\n', 2),
        ("Dockerfile", "FROM x\nCMD exec uvicorn \\\n  --port 80 \\\n  shop.asgi:app\n", 2),
        ("compose.yml", "services:\n  web:\n    command: uvicorn shop.asgi:app\n", 3),
        ("deploy/web.yaml", "command:\n  - uvicorn\n  - --factory\n  - shop.asgi:make\n", 1),
        ("shop.service", "[Service]\nExecStart=/srv/.venv/bin/uvicorn shop.asgi:app\n", 2),
        ("start.sh", "manage migrate && python -m uvicorn shop.asgi:app\n", 1),
    ],
)
def test_a_server_is_found_in_whatever_way_its_command_is_written(
    folder: ProjectFolder, name: str, text: str, line: int
) -> None:
    folder.write({name: text})
    (message,) = found(folder, "server.W010")
    assert str(message.where).endswith(f"{name}:{line}")


@pytest.mark.parametrize(
    "line",
    [
        "RUN pip install uvicorn gunicorn granian",
        "# uvicorn shop.asgi:app",
        'CMD ["python", "manage.py", "runserver"]',
        "RUN pip install uvicorn && docker pull shop:latest",
        "CMD uvicorn --reload shop.asgi:app",
    ],
)
def test_what_only_names_a_server_is_left_out(folder: ProjectFolder, line: str) -> None:
    folder.write({"Dockerfile": f"FROM python\n{line}\n"})
    assert found(folder, "server.W010") == []


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("gunicorn -w 4 shop.asgi:app", "its worker class 'sync' knows no ASGI"),
        ("granian shop.asgi:app", "it speaks rsgi unless told --interface asgi"),
    ],
)
def test_a_server_that_cannot_serve_it_is_an_error(
    folder: ProjectFolder, line: str, reason: str
) -> None:
    folder.write({"Procfile": f"web: {line}\n"})
    (message,) = found(folder, "server.E032")
    assert reason in message.text
    assert found(folder, "server.W010") == []


def test_our_worker_under_gunicorn_needs_the_time_of_a_stop(folder: ProjectFolder) -> None:
    config = 'worker_class = "fastforge.server.Worker"\n'
    folder.write({"Procfile": "web: gunicorn shop.asgi:app\n", "gunicorn.conf.py": config})
    (message,) = found(folder, "server.E033")
    assert "kills a worker 30 s after" in message.text
    assert "= 58 s" in message.text
    assert message.hint.startswith("write --graceful-timeout 58")
    folder.write({"gunicorn.conf.py": f"{config}graceful_timeout = 58\n"})
    assert found(folder, "server.E033") == found(folder, "server.W010") == []
