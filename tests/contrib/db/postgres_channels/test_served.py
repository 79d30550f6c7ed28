"""Served: two processes whose channels go by PostgreSQL, while it is away and after."""

from __future__ import annotations

import asyncio
import signal
from contextlib import ExitStack
from pathlib import Path

import httpx

from fastforge.test.proxy import Proxy
from tests.channels.serving import LIMIT_S, Served, project, served
from tests.processes import wait_until

from .conftest import migrated

ON_POSTGRES = """
    from fastforge.contrib.db import Database

    INSTALLED_APPS = [
        "fastforge.contrib.db", "fastforge.contrib.db.postgres_channels", *INSTALLED_APPS
    ]
    DATABASES = {{"default": Database(url={url!r}, ready_when_migrated=False)}}
    SERVER = {{"drain_s": 1, "linger_s": 0.1, "graceful_s": 5}}
"""


def publish(site: Served, number: int) -> int:
    params = {"first": number}
    return httpx.post(f"{site.url}/publish", params=params, timeout=LIMIT_S).status_code


def test_clients_of_every_process_are_served_again_when_the_database_is_back(
    tmp_path: Path, postgres_url: str
) -> None:
    """Without reconnecting; a publish that reaches nobody is a 503, and a stop ends in time."""
    asyncio.run(migrated(postgres_url))
    with Proxy(postgres_url) as proxy:
        folder = project(tmp_path, settings=ON_POSTGRES.format(url=proxy.url))
        with served(folder, "two processes") as site, ExitStack() as stack:
            clients = [stack.enter_context(site.client()) for _ in range(8)]
            processes = set()
            for client in clients:
                client.join("feed")
                client.join("room:1")
                client.push("pid")
            site.open_gate("pid")
            for client in clients:
                processes.add(client.next("ok")["data"])
            assert publish(site, 1) == 200
            assert [client.numbers(1) for client in clients] == [[1]] * len(clients)
            assert len(processes) == 2
            proxy.refuse()
            proxy.reset()
            wait_until(lambda: publish(site, 2) == 503)
            proxy.heal()
            wait_until(lambda: publish(site, 3) == 200)
            for client in clients:
                # What was answered with 503 has reached nobody, and with a history nothing is
                # told to be missing.
                assert client.numbers(1) == [3]
                gaps = [each["channel"] for each in client.frames if each["type"] == "gap"]
                assert "feed" not in gaps
            proxy.refuse()
            proxy.reset()
            site.process.terminate()
            assert {client.end()[0] for client in clients} == {1012}
            assert site.process.wait() in (0, -signal.SIGTERM)
            assert "Traceback" not in site.process.output
