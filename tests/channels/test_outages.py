"""Outages: Redis is away for a while, and every client of every process is served when it is back.

Each outage is one of a server that two processes of a project share; its clients stay connected.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import redis

from tests.jobs.servers import Durable, durable
from tests.processes import fetch, wait_until

from ..folder import ProjectFolder
from .sites import Client, Site, served, write

MESSAGES = range(100, 112)
ROOMS = ("news", "rain")
AWAY = "the breaker 'channels' is open"


@dataclass(frozen=True)
class Scene:
    """Two processes, the Redis between them, and clients that have heard something."""

    server: Durable
    sites: list[Site]
    old: list[Client]
    stack: ExitStack
    trials: Iterator[int] = field(default_factory=lambda: itertools.count(1000))

    def new_clients(self) -> list[Client]:
        """Let three more come to each process."""
        found = [self.stack.enter_context(Client(site)) for site in self.sites for _ in range(3)]
        for client in found:
            for room in ROOMS:
                assert client.join(room)["type"] == "joined"
        return found

    def wait_until_noticed(self) -> None:
        """Wait until both processes know that nothing is heard."""
        for site in self.sites:
            site.process.wait_for(AWAY)

    def expect_every_message(self) -> float:
        """Publish at both processes, and see who gets what; how long it took until that began."""
        began = time.monotonic()
        wait_until(self._all_hear)
        took_s = time.monotonic() - began
        clients = self.old + self.new_clients()
        for number in MESSAGES:
            assert self.sites[number % 2].publish(number) == 200
        for client in clients:
            for room in ROOMS:
                wait_until(lambda client=client, room=room: 111 in client.numbers(room))
                heard = [number for number in client.numbers(room) if number in MESSAGES]
                assert heard == [*MESSAGES], client
            assert client.code is None, "it did not have to come back"
        return took_s

    def _all_hear(self) -> bool:
        """Whether the old clients hear in each room what each process publishes now."""
        number = next(self.trials)
        if any(site.publish(number) != 200 for site in self.sites):
            return False
        time.sleep(0.1)
        return all(number in client.numbers(room) for client in self.old for room in ROOMS)

    def stop(self) -> None:
        """Stop the servers: at once, and well."""
        for site in self.sites:
            site.process.terminate()
        for site in self.sites:
            assert site.process.wait() in (0, -15, 143), site.process
        assert [client.code for client in self.old] == [1012] * len(self.old)


@contextmanager
def scene(folder: ProjectFolder) -> Iterator[Scene]:
    write(folder)
    with ExitStack() as stack:
        server = stack.enter_context(durable("redis"))
        sites = stack.enter_context(served(folder, server.url, 2))
        here = Scene(server=server, sites=sites, old=[], stack=stack)
        here.old.extend(here.new_clients())
        assert sites[0].publish(1) == 200
        for client in here.old:
            wait_until(lambda client=client: client.numbers("news") == [1], describe=client)
        yield here


@pytest.mark.parametrize("forgets", [False, True], ids=["keeps its data", "forgets its data"])
def test_after_a_restart_old_and_new_clients_hear_again_and_meanwhile_nothing_is_a_success(
    folder: ProjectFolder, forgets: bool
) -> None:
    with scene(folder) as here:
        if forgets:
            with redis.Redis.from_url(here.server.url) as admin:
                admin.flushall()
        here.server.stop()
        here.wait_until_noticed()
        for number in range(10, 22):
            assert here.sites[number % 2].publish(number) == 503
        stream = fetch(f"http://127.0.0.1:{here.sites[0].port}/channels/sse?channel=news")
        assert stream is not None and stream.status == 503
        with Client(here.sites[0]) as late:
            assert late.join("news")["code"] == "unavailable"
            here.server.start()
            here.expect_every_message()
            assert late.join("news")["type"] == "joined"
        for client in here.old:
            assert client.gaps("rain") == 1
            assert client.gaps("news") == forgets
            assert not set(client.numbers("news")) & set(range(10, 22))
        here.stop()


@pytest.mark.parametrize("seconds", [0, pytest.param(10, marks=pytest.mark.long)])
def test_a_redis_that_is_frozen_is_noticed_and_then_nothing_is_missing_that_was_kept(
    folder: ProjectFolder, seconds: float
) -> None:
    with scene(folder) as here:
        here.server.freeze()
        began = time.monotonic()
        assert here.sites[0].publish(10) == 503
        here.wait_until_noticed()
        time.sleep(max(0, seconds - (time.monotonic() - began)))
        here.server.thaw()
        took_s = here.expect_every_message()
        assert took_s < 2 or not seconds
        for client in here.old:
            assert (client.gaps("news"), client.gaps("rain")) == (0, 1)
        here.stop()


def test_connections_that_hear_are_killed_again_and_again_and_nobody_notices(
    folder: ProjectFolder,
) -> None:
    """What has a history is given whole, what has none with a gap; and nothing stays behind."""
    with scene(folder) as here, redis.Redis.from_url(here.server.url) as admin:
        kept = [f"shop:channels1:0:r:{room}".encode() for room in ROOMS]
        for number in range(20, 60):
            if number % 8 == 0:
                admin.client_kill_filter(_type="pubsub")
            assert here.sites[number % 2].publish(number) == 200
        here.expect_every_message()
        for client in here.old:
            heard = client.numbers("news")
            assert [number for number in heard if 20 <= number < 60] == [*range(20, 60)]

        def subscribers() -> set[int]:
            found: Any = admin.pubsub_numsub(*kept)
            return {count for _, count in found}

        assert subscribers() == {2}
        here.stop()
        wait_until(lambda: subscribers() == {0})


@pytest.mark.parametrize("fault", ["stop", "freeze"])
def test_servers_end_within_their_limits_while_redis_is_away(
    folder: ProjectFolder, fault: str
) -> None:
    with scene(folder) as here:
        for client in here.old:  # of each the others are told that it has gone
            assert client.join("lounge:1")["type"] == "joined"
        getattr(here.server, fault)()
        here.stop()


@pytest.mark.long
def test_rooms_that_are_left_while_connections_are_killed_leave_nothing_behind(
    folder: ProjectFolder,
) -> None:
    """A room is let go ten seconds after its last member; meanwhile, and then, they are killed."""
    with scene(folder) as here, redis.Redis.from_url(here.server.url) as admin:
        left = [f"lounge:{table}" for table in range(50)]
        with Client(here.sites[0], "ann") as ann:
            for room in left:
                assert ann.join(room)["type"] == "joined"
        until = time.monotonic() + 13
        while time.monotonic() < until:
            admin.client_kill_filter(_type="pubsub")
            time.sleep(0.05)
        names = [f"shop:channels1:0:r:{room}".encode() for room in left]

        def subscribers() -> set[int]:
            found: Any = admin.pubsub_numsub(*names)
            return {count for _, count in found}

        wait_until(lambda: subscribers() == {0})
        here.expect_every_message()
        here.stop()
