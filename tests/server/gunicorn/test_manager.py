"""Several processes: whatever happens to one of them, the others serve, and no request is lost."""

from __future__ import annotations

import os
import signal
import sys
import threading

from tests.commanding import start
from tests.processes import descendants, fetch, is_running, wait_until
from tests.server.load import Load

from .conftest import Shop, replaced

WAITING = """
import asyncio
from collections.abc import AsyncIterator

from fastforge import resource


@resource(start_timeout_s=3600)
async def desk() -> AsyncIterator[None]:
    print("waiting", flush=True)
    await asyncio.sleep(3600)
    yield
"""


def test_a_restart_takes_up_new_code_and_settings_and_loses_no_request(site: Shop) -> None:
    site.settings("drain_s=0.5, linger_s=0.2, workers=2")
    with site.served() as server:
        assert f"{site.url} (shop.settings, production, 2 processes; Ctrl-C stops)" in server.output
        server.wait_for("2 processes serve: SERVER.workers")
        before = descendants(server.pid)
        assert len(before) == 2
        with Load(site.port, threads=6) as load:
            site.version(2)
            server.send(signal.SIGHUP)
            after = replaced(server, before)
            wait_until(lambda: site.answers('"version":2'), describe=server)
            site.settings("drain_s=0.5, linger_s=0.2, workers=3")
            server.send(signal.SIGHUP)
            server.wait_for("replaced: 3 processes serve")
            wait_until(lambda: not after & descendants(server.pid), describe=server)
        assert not load.failures
        assert load.answered > 100
        assert len(descendants(server.pid)) == 3
        server.terminate()
        assert server.wait() == 0


def test_a_killed_process_is_replaced_and_one_that_is_told_to_stop_before_it_has(
    site: Shop,
) -> None:
    with site.served("--workers", "2") as server:
        before = descendants(server.pid)
        os.kill(min(before), signal.SIGKILL)
        server.wait_for(f"process {min(before)} was killed by SIGKILL: starting another one")
        wait_until(lambda: len(descendants(server.pid)) == 2, describe=server, deadline_s=4)
        with Load(site.port, threads=4) as load:
            os.kill(max(before), signal.SIGTERM)
            replaced(server, before)
        assert not load.failures
        server.interrupt()
        assert server.wait() == 0


def test_code_that_does_not_start_replaces_nothing(site: Shop) -> None:
    with site.served("--workers", "2") as server:
        before = descendants(server.pid)
        site.folder.write({"shop/notes/routes.py": "raise OSError('on fire')\n"})
        server.send(signal.SIGHUP)
        server.wait_for("before it served: the old processes go on")
        assert server.output.count("on fire") == 1
        assert site.answers('"version":1')
        site.folder.write({"shop/settings.py": "INSTALLED_APS = []\n"})
        server.send(signal.SIGHUP)
        server.wait_for("no restart: the settings cannot be read")
        assert "did you mean 'INSTALLED_APPS'?" in server.output
        assert descendants(server.pid) == before
        site.settings()
        site.version(2)
        server.send(signal.SIGHUP)
        replaced(server, before)
        assert site.answers('"version":2')


def test_processes_are_recycled_one_at_a_time(site: Shop) -> None:
    site.settings("drain_s=0.5, linger_s=0.2, max_requests=50")
    with site.served("--workers", "2") as server:
        before = descendants(server.pid)
        seen = [len(before)]

        def all_new() -> bool:
            now = descendants(server.pid)
            seen.append(len(now))
            return not now & before

        with Load(site.port, threads=4) as load:
            wait_until(all_new, describe=server)
        assert not load.failures
        assert max(seen) == 3
        assert "has answered its number of requests and was replaced" in server.output


def test_a_process_whose_event_loop_hangs_is_replaced_and_says_where_it_was(site: Shop) -> None:
    env = {"GUNICORN_CMD_ARGS": "--timeout 2 --workers 7"}
    with site.served("--workers", "2", env=env) as server:
        before = descendants(server.pid)
        assert len(before) == 2
        client = threading.Thread(target=fetch, args=[f"{site.url}/hang"])
        client.start()
        server.wait_for("was killed by SIGABRT: starting another one")
        client.join()
        assert "WORKER TIMEOUT" in server.output
        assert "routes.py" in server.output
        assert "in hang" in server.output
        wait_until(lambda: len(descendants(server.pid)) == 2, describe=server)


def test_the_second_signal_ends_all_at_once(site: Shop) -> None:
    with site.served("--workers", "2") as server:
        processes = descendants(server.pid)
        client = threading.Thread(target=fetch, args=[f"{site.url}/slow"])
        client.start()
        server.wait_for("in flight")
        server.terminate()
        while server.alive:
            server.terminate()
        client.join()
        assert server.wait() == -signal.SIGTERM
        assert not any(map(is_running, processes))


def test_processes_whose_manager_was_killed_end_by_themselves(site: Shop) -> None:
    with site.served("--workers", "2") as server:
        processes = descendants(server.pid)
        server.kill()
        wait_until(lambda: not any(map(is_running, processes)), describe=server)


def test_processes_that_hang_end_as_well_when_their_manager_was_killed(site: Shop) -> None:
    with site.served("--workers", "2", env={"GUNICORN_CMD_ARGS": "--timeout 2"}) as server:
        processes = descendants(server.pid)
        client = threading.Thread(target=fetch, args=[f"{site.url}/hang"])
        client.start()
        server.wait_for("hanging")
        server.kill()
        wait_until(lambda: not any(map(is_running, processes)), describe=server)
        client.join()
        assert "in hang" in server.output


def test_processes_that_start_end_as_well_when_their_manager_was_killed(site: Shop) -> None:
    site.folder.write({"shop/notes/resources.py": WAITING})
    with site.start("--workers", "2") as server:
        server.wait_for("waiting")
        processes = descendants(server.pid)
        server.kill()
        wait_until(lambda: not any(map(is_running, processes)), describe=server)


def test_a_start_may_take_longer_than_a_process_may_hang(site: Shop) -> None:
    blocking = WAITING.replace("await asyncio.sleep(3600)", "import time; time.sleep(4)")
    site.folder.write({"shop/notes/resources.py": blocking})
    with site.served("--workers", "2", env={"GUNICORN_CMD_ARGS": "--timeout 2"}) as server:
        assert "WORKER TIMEOUT" not in server.output


def test_sigterm_during_the_start_ends_it(site: Shop) -> None:
    text = "import time\nprint('importing', flush=True)\ntime.sleep(3600)\n"
    site.folder.write({"shop/notes/routes.py": text})
    with site.start("--workers", "2") as server:
        server.wait_for("importing")
        processes = descendants(server.pid)
        server.terminate()
        assert server.wait(deadline_s=10) == 0
        assert not any(map(is_running, processes))


def test_a_path_in_place_of_a_port_is_there_until_the_last_answer(site: Shop) -> None:
    import httpx

    path = site.folder.path / "web.sock"
    argv = [sys.executable, "-m", "fastforge", "runserver", "unix:web.sock", "--workers", "2"]
    with start(argv, cwd=site.folder.path, env={"FASTFORGE_ENV": "production"}) as server:
        server.wait_for(f"unix:{path} (shop.settings, production, 2 processes; Ctrl-C stops)\n")
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(path))) as client:
            assert client.get("http://localhost/").json()["version"] == 1
        server.terminate()
        assert server.wait() == 0
        assert not path.exists()


def test_a_start_that_is_not_over_ends_without_draining(site: Shop) -> None:
    """One process serves already, and another one does not come up."""
    site.settings("drain_s=3600, max_requests=1")
    second = """
        import os
        import time

        try:
            os.mkdir("first")
        except FileExistsError:
            print("the second", flush=True)
            time.sleep(3600)
        """
    site.folder.write({"shop/notes/resources.py": second})
    with site.start("--workers", "2", "--max-requests", "100") as server:
        server.wait_for("the second")
        wait_until(lambda: site.answers('"version":1'), describe=server)
        server.terminate()
        assert server.wait() == 0
        assert "Ctrl-C" not in server.output
