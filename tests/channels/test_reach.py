"""Reach: what one process publishes comes to clients of another, or it refuses to start."""

from __future__ import annotations

import logging
import sys
import time
from pathlib import Path

import pytest

from fastforge.core.processes import serving_processes
from fastforge.core.reach import refuse_apart
from fastforge.exceptions import StartError
from fastforge.test.lifespan import application_of, started
from tests.commanding import outcomes, start
from tests.processes import fetch, free_port, wait_until

from ..folder import ProjectFolder
from .sites import DATABASE_APPS, Client, Site, served, write

DEVELOPMENT = {"FASTFORGE_ENV": "development"}
PRODUCTION = {"FASTFORGE_ENV": "production"}


def in_memory(folder: ProjectFolder, more: str = "") -> None:
    write(folder, apps=DATABASE_APPS)
    settings = folder.path / "shop/settings.py"
    settings.write_text(f"{settings.read_text()}\n{more}\n")


async def refusal(folder: ProjectFolder, processes: int) -> str:
    """What a server says that is one of so many; empty where it starts."""
    token = serving_processes.set(processes)
    try:
        async with started(application_of(folder.load(DEVELOPMENT))):
            return ""
    except StartError as error:
        return str(error)
    finally:
        serving_processes.reset(token)


@pytest.mark.parametrize(
    ("more", "processes", "told"),
    [
        ("", 1, ""),
        ("", 2, "2 processes serve"),
        ("SERVER = Server(processes=9)", 1, "9 processes serve"),
        ('SILENCED_CHECKS = {"channels.E018": "one room is on one process"}', 2, ""),
        ('SILENCED_CHECKS = {"channels.E018": ""}', 2, "2 processes serve"),
    ],
)
async def test_one_of_several_servers_refuses_to_have_channels_of_its_own(
    folder: ProjectFolder, more: str, processes: int, told: str
) -> None:
    in_memory(folder, more)
    refused = await refusal(folder, processes)
    assert bool(refused) == bool(told)
    assert told in refused and ("[channels.E024]" in refused) == bool(told)


async def test_servers_without_channels_are_as_many_as_anybody_wants(
    folder: ProjectFolder,
) -> None:
    folder.write({"shop/settings.py": 'INSTALLED_APPS = ["shop.talk"]', "shop/talk/routes.py": ""})
    assert await refusal(folder, 9) == ""


def test_several_servers_that_would_lose_messages_say_so_once_and_end(
    folder: ProjectFolder,
) -> None:
    in_memory(folder)
    argv = [sys.executable, "-m", "fastforge", "runserver", str(free_port()), "--workers", "2"]
    with start(argv, cwd=folder.path, env=PRODUCTION) as manager:
        assert manager.wait() == 3
        assert manager.output.count("[channels.E024]") == 1, manager.output
        assert "let one process serve: --workers 1" in manager.output


@pytest.mark.parametrize(
    ("environ", "more", "refuses"),
    [
        (DEVELOPMENT, "", False),
        (PRODUCTION, "", True),
        (PRODUCTION, 'SILENCED_CHECKS = {"channels.E018": "jobs only send mail"}', False),
    ],
)
def test_a_worker_whose_messages_nobody_would_hear_refuses_to_start_in_production(
    folder: ProjectFolder,
    environ: dict[str, str],
    more: str,
    refuses: bool,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """While somebody develops it is told: perhaps its jobs publish nothing."""
    in_memory(folder, more)
    project = folder.load(environ)
    caplog.set_level(logging.WARNING, "fastforge.channels")
    if refuses:
        with pytest.raises(StartError, match=r"channels\.E024.*SILENCED_CHECKS"):
            refuse_apart(project)
    else:
        refuse_apart(project)
        assert len(caplog.messages) == (not more)


def test_a_worker_is_refused_by_its_command(folder: ProjectFolder) -> None:
    in_memory(folder)
    ((code, output),) = outcomes(folder.path, PRODUCTION, [["runworker", "--burst"]])
    assert (code, output.count("[channels.E024]")) == (3, 1), output


def test_on_a_laptop_a_job_reaches_the_clients_of_the_server_that_runs_it(
    folder: ProjectFolder,
) -> None:
    """`runserver` in development runs the jobs itself; nothing else is needed."""
    in_memory(folder)
    migrate(folder, DEVELOPMENT)
    port = free_port()
    argv = [sys.executable, "-m", "fastforge", "runserver", str(port), "--no-reload"]
    with start(argv, cwd=folder.path, env=DEVELOPMENT) as process:
        wait_until(lambda: fetch(f"http://127.0.0.1:{port}/livez"), describe=process)
        site = Site(port, process)
        with Client(site) as client:
            assert client.join("news")["type"] == "joined"
            answer = site.post("/announce?number=7")
            assert answer is not None and answer.status == 200
            wait_until(lambda: client.numbers("news") == [7], describe=client)


def test_what_workers_and_commands_publish_reaches_the_clients_of_every_server(
    folder: ProjectFolder, redis_url: str
) -> None:
    write(folder)
    environ = {**PRODUCTION, "REDIS_URL": redis_url}
    migrate(folder, environ)
    with served(folder, redis_url, 2) as sites:
        clients = [Client(site) for site in sites]
        for client in clients:
            assert client.join("news")["type"] == "joined"
        assert getattr(sites[0].post("/announce?number=1"), "status", 0) == 200
        message = '{"type": "said", "number": 2}'
        told = outcomes(
            folder.path,
            environ,
            [["runworker", "--burst"], ["channels", "publish", "news", message]],
        )
        assert [code for code, _ in told] == [0, 0], told
        for client in clients:
            wait_until(lambda client=client: client.numbers("news") == [1, 2], describe=client)
            client.close()


@pytest.mark.long
def test_whoever_was_with_a_server_that_was_killed_is_missed_within_a_minute(
    folder: ProjectFolder, redis_url: str
) -> None:
    """A lease lasts for half a minute; those of the server that lives are told."""
    write(folder)
    with served(folder, redis_url, 2) as sites:
        ann, bob = (Client(site, name) for site, name in zip(sites, ("ann", "bob"), strict=True))
        for client in (ann, bob):
            assert client.join("lounge:1")["type"] == "joined"
        ann.next(lambda frame: {"name": "bob"} in frame.get("came", ()))
        sites[1].process.kill()
        killed_at = time.monotonic()
        ann.next(lambda frame: {"name": "bob"} in frame.get("gone", ()))
        assert 10 < time.monotonic() - killed_at < 45
        assert not any("ann" in str(frame.get("gone", "")) for frame in ann.frames)
        for client in (ann, bob):
            client.close()


def migrate(folder: ProjectFolder, environ: dict[str, str]) -> None:
    told = outcomes(Path(folder.path), environ, [["migrate"]])
    assert [code for code, _ in told] == [0], told
