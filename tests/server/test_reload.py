"""The reloading server picks edits up, survives broken code and leaves no orphan."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

from tests.processes import fetch, wait_until

from .conftest import APPLICATION, Site


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
