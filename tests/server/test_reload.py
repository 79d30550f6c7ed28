"""The reloading server picks edits up, survives broken code and leaves no orphan."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from pathlib import Path

from fastforge.server.listening import bind
from tests.processes import fetch, wait_until

from .conftest import APPLICATION, Site
from .test_serve import FAILING


def ask(site: Site) -> str:
    answer = wait_until(lambda: fetch(site.url))
    assert answer.status == 200
    return answer.body


def answered(site: Site, text: str) -> bool:
    answer = fetch(site.url)
    return answer is not None and answer.body.startswith(text)


def child_of(body: str) -> int:
    return int(re.findall(r"pid (\d+)", body)[0])


def runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A child of a killed parent may stay as a zombie until the system's first process reaps it.
    status = Path(f"/proc/{pid}/status")
    try:
        return not status.parent.is_dir() or "\nState:\tZ" not in status.read_text()
    except OSError:
        return False


def test_an_edit_is_served_without_a_refused_request(site: Site) -> None:
    with site.start("reload") as server:
        first = ask(site)
        site.folder.write({"site_app.py": APPLICATION.replace("VERSION = 1", "VERSION = 2")})
        wait_until(lambda: ask(site).startswith("version 2"), describe=server)
        assert "site_app.py changed: restarting" in server.output
        assert not runs(child_of(first))


def test_a_syntax_error_is_told_and_the_next_edit_cures_it(site: Site) -> None:
    with site.start("reload") as server:
        assert ask(site).startswith("version 1")
        site.folder.write({"site_app.py": "def broken(:\n"})
        output = server.wait_for("waiting for an edit")
        assert "site_app.py:1: site_app does not load: SyntaxError" in output
        answer = fetch(site.url)
        assert answer is not None
        assert answer.status == 503
        assert "site_app.py:1: site_app does not load: SyntaxError" in answer.body
        site.folder.write({"site_app.py": APPLICATION.replace("VERSION = 1", "VERSION = 3")})
        wait_until(lambda: answered(site, "version 3"), describe=server)


def test_a_first_start_that_fails_waits_for_an_edit_too(site: Site) -> None:
    site.folder.write({"site_app.py": "def broken(:\n"})
    with site.start("reload") as server:
        server.wait_for("waiting for an edit")
        site.folder.write({"site_app.py": APPLICATION})
        wait_until(lambda: answered(site, "version 1"), describe=server)


def test_only_python_files_restart_the_server(site: Site) -> None:
    with site.start("reload") as server:
        first = ask(site)
        site.folder.write({"notes.txt": "one", "data.sqlite3": "two"})
        site.folder.write({"other.py": "x = 1"})
        server.wait_for("other.py changed: restarting")
        assert "notes.txt" not in server.output
        assert "data.sqlite3" not in server.output
        wait_until(lambda: child_of(ask(site)) != child_of(first))


def test_ctrl_c_in_the_terminal_ends_both_processes(site: Site) -> None:
    with site.start("reload") as server:
        child = child_of(ask(site))
        server.interrupt()
        assert server.wait() == 0
        assert not runs(child)
        assert "down" in server.output
        assert "Traceback" not in server.output


def test_sigterm_to_the_supervisor_ends_both_processes(site: Site) -> None:
    with site.start("reload") as server:
        child = child_of(ask(site))
        server.terminate()
        assert server.wait() == 0
        assert not runs(child)


def test_the_child_leaves_when_the_supervisor_is_killed(site: Site) -> None:
    with site.start("reload") as server:
        child = child_of(ask(site))
        server.kill()
        assert server.wait() == -signal.SIGKILL
        wait_until(lambda: not runs(child), describe=server)


def test_the_child_leaves_also_in_the_middle_of_its_start(site: Site) -> None:
    text = "import os, time\nprint('child', os.getpid(), flush=True)\ntime.sleep(3600)\n"
    site.folder.write({"site_app.py": text})
    with site.start("reload") as server:
        child = int(server.wait_for("child ").split("child ")[1].split()[0])
        server.kill()
        wait_until(lambda: not runs(child), describe=server)


def test_a_killed_child_is_started_again_and_after_a_pause_when_it_dies_again(site: Site) -> None:
    with site.start("reload") as server:
        first = child_of(ask(site))
        os.kill(first, signal.SIGKILL)
        server.wait_for("the server was killed by SIGKILL: starting again\n")
        second = child_of(wait_until(lambda: other_than(first, site), describe=server))
        os.kill(second, signal.SIGKILL)
        server.wait_for("the server was killed by SIGKILL: starting again in 0.5 s\n")
        wait_until(lambda: other_than(second, site), describe=server)


def other_than(pid: int, site: Site) -> str:
    answer = fetch(site.url)
    is_another = answer is not None and answer.status == 200 and child_of(answer.body) != pid
    return answer.body if answer is not None and is_another else ""


def test_a_child_that_somebody_ends_is_started_again(site: Site) -> None:
    with site.start("reload") as server:
        first = child_of(ask(site))
        os.kill(first, signal.SIGTERM)
        server.wait_for("the server ended with code 0: starting again\n")
        wait_until(lambda: other_than(first, site), describe=server)


def test_what_breaks_a_start_is_shown_until_it_is_mended(site: Site) -> None:
    """Each of them until the next one, and the last one until the application is what it was."""
    broken = {
        "import nowhere": "site_app does not load: ModuleNotFoundError",
        "raise SystemExit(7)": "site_app does not load: SystemExit: 7",
        "import os; os._exit(7)": "The server ended with code 7 before it served",
        FAILING: "the cellar is flooded",
        "app = 1": "TypeError: 'int' object is not callable",
    }
    site.folder.write({"site_app.py": next(iter(broken))})
    with site.start("reload") as server:
        for number, (text, line) in enumerate(broken.items(), 1):
            site.folder.write({"site_app.py": text})
            wait_until(lambda: is_refused(site, line), describe=server)  # noqa: B023
            wait_until(lambda: server.output.count("waiting for an edit") == number)  # noqa: B023
        site.folder.write({"site_app.py": APPLICATION})
        wait_until(lambda: answered(site, "version 1"), describe=server)


def is_refused(site: Site, line: str) -> bool:
    """Whether every request is answered with what is wrong."""
    answer = fetch(site.url)
    return answer is not None and answer.status == 503 and line in answer.body


def test_the_next_child_opens_nothing_before_the_last_one_has_closed_everything(
    site: Site,
) -> None:
    with site.start("reload") as server:
        ask(site)
        for number in (2, 3):
            text = APPLICATION.replace("VERSION = 1", f"VERSION = {number}")
            site.folder.write({"site_app.py": text})
            wait_until(lambda: answered(site, f"version {number}"), describe=server)  # noqa: B023
        words = [line for line in server.output.splitlines() if line in ("up", "down")]
        assert words == ["up", "down", "up", "down", "up"]


def test_two_edits_of_the_same_size_within_a_second_are_both_seen(site: Site) -> None:
    """Python alone takes the compiled form of the first for that of the second."""
    with site.start("reload") as server:
        ask(site)
        for number in (2, 3, 4):
            text = APPLICATION.replace("VERSION = 1", f"VERSION = {number}")
            site.folder.write({"site_app.py": text})
            if number > 2:  # by then it is certain that files are watched
                os.utime(site.path / "site_app.py", (1e9, 1e9))
            wait_until(lambda: answered(site, f"version {number}"), describe=server)  # noqa: B023


def test_the_second_ctrl_c_waits_for_nothing(site: Site) -> None:
    with site.start("reload") as server:
        child = child_of(ask(site))
        client = threading.Thread(target=lambda: fetch(f"{site.url}never"))
        client.start()
        server.wait_for("asked /never")
        server.interrupt()
        while server.alive:
            server.interrupt()
            time.sleep(0.01)
        client.join()
        # One signal too many may have met the process after it had let go of its handlers.
        assert server.wait() in (0, -signal.SIGINT)
        assert not runs(child)
        assert "down" not in server.output
        assert "Traceback" not in server.output


def test_a_process_that_the_application_starts_does_not_keep_the_port(site: Site) -> None:
    text = "import subprocess, sys\nhelper = subprocess.Popen([sys.executable, '-c',"
    text += " 'import time; time.sleep(3600)'], close_fds=False)\nprint('helper', helper.pid)\n"
    site.folder.write({"site_app.py": text + APPLICATION})
    with site.start("reload") as server:
        helper = int(server.wait_for("helper ").split("helper ")[1].split()[0])
        ask(site)
        server.terminate()
        server.wait()
        assert runs(helper)
        bind("127.0.0.1", site.port).close()
