"""`manage jobs top`: what it shows in a terminal of any size, and the keys."""

from __future__ import annotations

import fcntl
import itertools
import os
import re
import signal
import struct
import sys
import termios
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from fastforge.components import Registry
from fastforge.management.jobs.office import Office
from fastforge.management.jobs.screen import Snapshot, View, bar, screen
from fastforge.management.jobs.table import width_of
from fastforge.management.jobs.terminal import keys_in
from fastforge.tasks import Clock, JobRecord, JobState, MemoryBackend, Progress
from fastforge.tasks.envelope import new_uid
from fastforge.tasks.records import QueueStats, WorkerBeat
from tests.folder import ProjectFolder
from tests.processes import wait_until
from tests.terminal import CTRL_C, Terminal, in_terminal

from .conftest import TASKS, Jobs

AT = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)

# --- what is shown -------------------------------------------------------------------------------


@pytest.fixture
def office() -> Office:
    backend = MemoryBackend()
    return Office(
        desk=backend.desk, clock=backend.clock, zone=ZoneInfo("UTC"), registry=Registry((), list)
    )


def running(number: int, progress: Progress | None = None) -> JobRecord:
    began = AT - timedelta(seconds=number)
    return JobRecord(
        uid=new_uid(),
        task=f"shop.notes.tasks.task_{number}",
        queue="default",
        state=JobState.RUNNING,
        payload={},
        attempt=1,
        run_at=began,
        enqueued_at=began,
        started_at=began,
        progress=progress,
    )


def snapshot(queues: int = 2, jobs: int = 3, workers: int = 1) -> Snapshot:
    return Snapshot(
        at=AT,
        queues=[
            QueueStats(queue=f"queue_{number}", ready=number, done_a_minute=1.5)
            for number in range(queues)
        ],
        running=[running(number) for number in range(jobs)],
        workers=[
            WorkerBeat(
                worker_id=f"w{number}",
                host="host",
                pid=number,
                queues=("default",),
                concurrency=5,
                running=1,
                version="1",
                started_at=AT,
                beat_at=AT,
            )
            for number in range(workers)
        ],
    )


def test_all_is_shown_where_there_is_room(office: Office) -> None:
    lines = screen(snapshot(), View(columns=120, rows=40, selected="queue_1"), office)
    assert lines[0] == (
        "jobs at 12:00:00 UTC: 1 ready, 0 running, 3 done in a minute, 1 worker alive"
    )
    text = "\n".join(lines)
    assert "\n> queue_1" in re.sub("  +", " ", text)
    assert all(f"task_{number} " in text for number in range(3))
    assert lines[-1] == "q quit   up/down select a queue   p pause it   r resume it"


@pytest.mark.parametrize("counts", [(0, 0, 0), (2, 3, 1), (40, 3, 1), (30, 200, 12)])
def test_it_never_leaves_the_terminal(counts: tuple[int, int, int], office: Office) -> None:
    for columns, rows in itertools.product([1, 10, 40, 80, 200], [1, 2, 5, 9, 24, 60]):
        view = View(columns=columns, rows=rows, selected="queue_1")
        lines = screen(snapshot(*counts), view, office)
        assert len(lines) <= rows
        assert max(map(width_of, lines)) <= columns


def test_small_parts_are_whole_and_large_ones_say_what_is_missing(office: Office) -> None:
    lines = screen(snapshot(queues=2, jobs=200, workers=1), View(columns=100, rows=24), office)
    text = "\n".join(lines)
    assert "queue_0" in text
    assert "queue_1" in text
    assert len(lines) == 24
    (missing,) = [int(line.split()[1]) for line in lines if line.startswith("... ")]
    assert missing + text.count("tasks.task_") == 200


@pytest.mark.parametrize("selected", [0, 7, 38, 39])
def test_the_selected_queue_is_in_sight(selected: int, office: Office) -> None:
    view = View(columns=100, rows=24, selected=f"queue_{selected}")
    lines = screen(snapshot(queues=40, jobs=40, workers=9), view, office)
    assert [line.split()[1] for line in lines if line.startswith("> ")] == [f"queue_{selected}"]


def test_progress_is_a_bar_with_its_numbers(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fastforge.management.jobs.screen._shows_blocks", lambda: False)
    shown = Snapshot(
        at=AT,
        queues=[],
        running=[
            running(1, Progress(done=3, total=12, message="reading\x1b[2J")),
            running(2, Progress(done=7)),
        ],
        workers=[],
    )
    text = "\n".join(screen(shown, View(columns=120, rows=40), office))
    assert "#####............... 3 of 12 (25%): reading�[2J" in text
    assert re.search(r"2 s\s+7\n", text)
    assert bar(Progress(done=9, total=4), 4) == "####"
    assert bar(Progress(done=-1, total=4), 4) == "...."


def test_keys_of_every_kind_of_terminal() -> None:
    assert keys_in("q\x03Q\x04") == ["quit"] * 4
    assert keys_in("\x1b[A\x1bOB\x1b[Ckj") == ["up", "down", "up", "down"]
    assert keys_in("pR\x1b[1;5A\x1b[15~\x1b") == ["p", "r"]


def test_without_a_terminal_it_is_shown_once(jobs: Jobs, clock: Clock) -> None:
    jobs.enqueue()
    jobs.begin()
    jobs.beat()
    result = jobs("top")
    assert result.code == 0
    assert [line.split()[0] for line in result.out.splitlines() if line] == [
        *("QUEUE", "default", "mail"),
        *("ID", jobs.json("list")[0]["id"][:8]),
        *("HOST", "host-1"),
    ]
    assert result.err == "note: in a terminal, `jobs top` is live\n"
    kinds = [each["kind"] for each in jobs.json("top")]
    assert kinds == ["queue", "queue", "job", "worker"]


# --- in a real terminal --------------------------------------------------------------------------

RESOURCES = """
import logging, pathlib
from fastforge import resource
from fastforge.tasks import BackendAway, ClaimRequest, Envelope, MemoryBackend, Progress

@resource
async def filled():
    backend = MemoryBackend()
    await backend.enqueue([Envelope(task="shop.notes.tasks.send", payload={}) for _ in range(2)])
    request = ClaimRequest(worker_id="w1", queues=("default",), limit=1, lease_s=60)
    (claim,) = (await backend.claim(request)).claims
    await backend.attend("w1", {claim: Progress(done=3, total=4, message="reading")})
    find = backend.desk.find

    async def find_or_not(query):
        logging.getLogger("shop").warning("a slow query")
        if pathlib.Path("away").exists():
            raise BackendAway("nobody answers", code="x.E001")
        return await find(query)

    backend.desk.find = find_or_not
    yield backend
"""
BACKENDS = """
from fastforge.tasks import Backend
from .resources import filled

FILLED = Backend(name="filled", resource=filled)
"""


@pytest.fixture
def filled(folder: ProjectFolder) -> ProjectFolder:
    """A project whose jobs are there as soon as it runs."""
    folder.write(
        {
            "shop/settings.py": """
                INSTALLED_APPS = ["shop.notes"]
                TASKS = {"backend": "filled"}
                """,
            "shop/notes/tasks.py": TASKS,
            "shop/notes/task_backends.py": BACKENDS,
            "shop/notes/resources.py": RESOURCES,
        }
    )
    return folder


@pytest.fixture
def top(filled: ProjectFolder) -> Iterator[Terminal]:
    """`jobs top` in a terminal."""
    argv = [sys.executable, "-m", "fastforge", "jobs", "top"]
    environ = {"FASTFORGE_ENV": "test", "PYTHONUTF8": "1"}
    with in_terminal(argv, cwd=filled.path, env=environ) as terminal:
        terminal.wait_for("r resume it")
        yield terminal


def written(terminal: Terminal) -> str:
    return terminal._shown.decode()


def test_it_is_live_and_leaves_the_terminal_as_it_was(top: Terminal) -> None:
    logged, _, before = written(top).partition("\x1b[?1049h\x1b[?25l")
    assert logged == "a slow query\r\n"
    assert "███████████████░░░░░ 3 of 4 (75%): reading" in before
    top.wait_for("jobs at ")  # a second later
    top.type("q")
    assert top.wait() == 0
    after = written(top)
    assert after.endswith("\x1b[?25h\x1b[?1049l")
    assert after.count("a slow query") == 1
    assert not top.shown.endswith("q")


def test_ctrl_c_is_a_quiet_end(top: Terminal) -> None:
    top.type(CTRL_C)
    assert top.wait() == 0
    assert written(top).endswith("\x1b[?25h\x1b[?1049l")


def test_a_signal_ends_it_in_order(top: Terminal) -> None:
    os.kill(top.popen.pid, signal.SIGTERM)
    assert top.wait() == 128 + signal.SIGTERM
    assert written(top).endswith("\x1b[?25h\x1b[?1049l")


def test_keys_select_pause_and_resume_a_queue(top: Terminal) -> None:
    top.press_until("\x1b[B", "> mail")
    top.type("p")
    assert "mail" in top.wait_for("paused").splitlines()[-1]
    top.type("r")
    wait_until(lambda: (_last_screen(top) and "paused" not in _last_screen(top)) or None)
    top.press_until("\x1b[A", "> default")
    top.type("q")
    assert top.wait() == 0


def test_another_size_is_drawn_at_once(top: Terminal) -> None:
    fcntl.ioctl(top._descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", 12, 30, 0, 0))
    wait_until(lambda: _widest(top) <= 30 or None)
    assert len(_last_screen(top).split("\n")) <= 12
    top.type("q")
    assert top.wait() == 0


def test_a_backend_that_is_away_is_waited_for(top: Terminal, filled: ProjectFolder) -> None:
    (filled.path / "away").touch()
    top.wait_for("nobody answers")
    (filled.path / "away").unlink()
    top.wait_for("r resume it")
    top.type("q")
    assert top.wait() == 0


def test_colours_are_left_out_where_nobody_wants_them(filled: ProjectFolder) -> None:
    argv = [sys.executable, "-m", "fastforge", "jobs", "top"]
    colour = re.compile(r"\x1b\[\d[\d;]*m")
    for environ, has_colours in ({}, True), ({"NO_COLOR": "1"}, False):
        with in_terminal(argv, cwd=filled.path, env={"FASTFORGE_ENV": "test", **environ}) as top:
            top.wait_for("r resume it")
            top.type("q")
            assert top.wait() == 0
            screen = written(top).rpartition("\x1b[0m\x1b[?25h")[0]
            assert bool(colour.search(screen)) is has_colours


def test_a_terminal_that_cannot_move_gets_it_once(filled: ProjectFolder) -> None:
    argv = [sys.executable, "-m", "fastforge", "jobs", "top"]
    with in_terminal(argv, cwd=filled.path, env={"TERM": "dumb"}) as top:
        assert top.wait() == 0
        assert "\x1b[?1049h" not in written(top)
        assert "note: in a terminal" in top.shown


def test_a_person_is_asked_before_many_jobs_change(filled: ProjectFolder) -> None:
    argv = [sys.executable, "-m", "fastforge", "jobs", "cancel", "--task", "send"]
    for answer, told, code in (
        ("y", "2 jobs are cancelled", 0),
        ("", "nothing is changed", 1),
        ("no", "nothing is changed", 1),
    ):
        with in_terminal(argv, cwd=filled.path) as terminal:
            terminal.wait_for("Cancel 2 jobs? [y/N] ")
            terminal.enter(answer)
            terminal.wait_for(told)
            assert terminal.wait() == code
    with in_terminal(argv, cwd=filled.path) as terminal:
        terminal.wait_for("[y/N] ")
        terminal.type(CTRL_C)
        assert terminal.wait() == 130
        assert "cancelled" not in terminal.shown


def _last_screen(terminal: Terminal) -> str:
    terminal._read()
    _, _, last = terminal.shown[: terminal.shown.rfind("jobs at")].rpartition("jobs at")
    return last.rstrip("\n")


def _widest(terminal: Terminal) -> int:
    return max(map(len, _last_screen(terminal).split("\n")))
