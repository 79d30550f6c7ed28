"""Commands, workers and servers as processes of their own that need not import everything first.

They are forked from one that has: that costs a tenth, and each is as new as a started program.
"""

from __future__ import annotations

import atexit
import contextlib
import io
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import tempfile
import threading
import types
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import IO

from .processes import DEADLINE_S, ROOT, Log, Process, Program, clean_environment

__all__ = ["outcomes", "python", "start"]

IMPORTED = [
    __name__,
    "aiosqlite",
    "alembic.operations",
    "asyncpg",
    "fastapi",
    "fastforge.contrib.db.migrations.maker",
    "fastforge.contrib.db.migrations.project",
    "fastforge.contrib.db.migrations.runner",
    "fastforge.management.cli",
    "fastforge.management.commands.runserver",
    "fastforge.management.commands.runworker",
    "fastforge.server.serve",
    "httpx",
    "psycopg",
    "pytest",
    "sqlalchemy.dialects.postgresql.asyncpg",
    "sqlalchemy.dialects.postgresql.psycopg",
    "redis.asyncio",
    "sqlalchemy.dialects.sqlite.aiosqlite",
    "uvicorn.protocols.http.httptools_impl",
    "watchfiles",
]

Outcome = tuple[int, str]


def outcomes(
    folder: Path, environ: Mapping[str, str], commands: Sequence[Sequence[str]]
) -> list[Outcome]:
    """Run commands one after the other; the exit code and what each wrote."""
    context = prepared()
    here, there = context.Pipe(duplex=False)
    variables = {**clean_environment(), **environ}
    process = context.Process(target=_run, args=(there, str(folder), variables, commands))
    process.start()
    there.close()
    try:
        assert here.poll(DEADLINE_S), f"{commands} do not end"
        told: list[Outcome] = here.recv()  # EOFError: it died, and its traceback is on the screen
        return told
    finally:
        here.close()
        process.kill()
        process.join()


def python(
    arguments: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    deadline_s: float = DEADLINE_S,
    together: bool = False,
) -> subprocess.CompletedProcess[str]:
    """Run `python` with arguments to its end, as `processes.run` does: exit code and output.

    Both streams in one, in the order in which a terminal shows them, with `together`. Not for what
    looks at how it was started, or at which modules are imported.
    """
    with ExitStack() as stack:
        out = stack.enter_context(_log())
        error = out if together else stack.enter_context(_log())
        variables = clean_environment() | dict(env or {})
        given = ([out.name, error.name], str(cwd), variables, [str(each) for each in arguments])
        process = prepared().Process(target=_become_python, args=given)
        process.start()
        try:
            process.join(deadline_s)
            texts = [_text_of(log) for log in ([out] if together else [out, error])]
            assert process.exitcode is not None, f"{arguments} does not end: {texts}"
            return subprocess.CompletedProcess(arguments, process.exitcode, *texts)
        finally:
            process.kill()
            process.join()


def start(argv: Sequence[str], *, cwd: Path, env: Mapping[str, str] | None = None) -> Process:
    """Start this Python, as `processes.start` does. Not for what `python` is not for.

    It leads a process group of its own as soon as it runs.
    """
    program, *arguments = map(str, argv)
    assert program == sys.executable, f"only what is Python can be forked from it: {argv}"
    variables = clean_environment() | dict(env or {})

    def launch(log: Log) -> Program:
        given = ([log.name, log.name], str(cwd), variables, arguments, True)
        process = prepared().Process(target=_become_python, args=given)
        process.start()
        return _Forked(process)

    return Process(argv, launch)


class _Forked:
    """What `subprocess.Popen` is, of a process that was forked."""

    def __init__(self, process: BaseProcess) -> None:
        self._process = process
        assert process.pid is not None
        self.pid = process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self) -> int:
        self._process.join()
        assert self._process.exitcode is not None
        return self._process.exitcode

    def send_signal(self, sig: int, /) -> None:
        # Whoever has forked it hears of its end before we do.
        with contextlib.suppress(ProcessLookupError):
            if self.poll() is None:
                os.kill(self.pid, sig)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def _log() -> IO[bytes]:
    return tempfile.NamedTemporaryFile(prefix="fastforge-", suffix=".log")


def _text_of(log: IO[bytes]) -> str:
    return log.read().decode(errors="replace")


def prepared() -> ForkServerContext:
    """What starts a process from one that has imported everything."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(IMPORTED)
    return context


def _become_python(
    logs: list[str],
    folder: str,
    environ: dict[str, str],
    arguments: list[str],
    leads: bool = False,
) -> None:
    """Do in this process what `python` does when it starts, goes on and ends."""
    if leads:
        os.setsid()
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for stream, log in enumerate(logs, 1):
        os.dup2(os.open(log, os.O_WRONLY | os.O_APPEND), stream)
    sys.stdout, sys.stderr = (
        io.TextIOWrapper(io.FileIO(stream, "wb", closefd=False), "utf-8", write_through=True)
        for stream in (1, 2)
    )
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    try:
        _run_main(arguments)
    except SystemExit:
        raise  # multiprocessing makes the exit code of it
    except BaseException as error:
        shown = error.__traceback__
        while shown and _is_ours(shown.tb_frame):
            shown = shown.tb_next
        sys.excepthook(type(error), error.with_traceback(shown), shown)
        sys.exit(1)
    finally:
        threading._shutdown()  # type: ignore[attr-defined]  # in this order, as the interpreter
        atexit._run_exitfuncs()


def _is_ours(frame: types.FrameType) -> bool:
    return frame.f_code.co_filename == __file__


def _run_main(arguments: list[str]) -> None:
    """What the command line of `python` says: a script, `-m` a module, or `-c` a text."""
    first, *rest = arguments
    _forget_our_tests()
    if rest[:1] == ["pytest"]:
        _make_way_for_pytest()
    main = sys.modules["__main__"] = types.ModuleType("__main__")
    if first == "-m":
        sys.argv = ["-m", *rest[1:]]
        sys.path.insert(0, os.getcwd())
        runpy._run_module_as_main(rest[0])  # type: ignore[attr-defined]  # as the interpreter does
        return
    if first == "-c":
        sys.argv = ["-c", *rest[1:]]
        sys.path.insert(0, "")
        code = compile(rest[0], "<string>", "exec")
    else:
        sys.argv = arguments
        main.__file__ = os.path.abspath(first)
        sys.path.insert(0, os.path.dirname(main.__file__))
        code = compile(Path(first).read_bytes(), main.__file__, "exec")
    exec(code, main.__dict__)


def _forget_our_tests() -> None:
    """A project has the same names, and a program that is started knows nothing of ours."""
    for name in [name for name in sys.modules if f"{name}.".startswith("tests.")]:
        del sys.modules[name]
    sys.path[:] = [path for path in sys.path if Path(path) != ROOT]


def _make_way_for_pytest() -> None:
    """Let what is a plugin be imported."""
    for name in ("anyio", "fastforge"):  # pytest would complain that it is too late to rewrite it
        module = sys.modules[name]
        module.__doc__ = f"{module.__doc__ or ''} PYTEST_DONT_REWRITE"


def _run(
    there: Connection, folder: str, environ: Mapping[str, str], commands: Sequence[Sequence[str]]
) -> None:
    from fastforge.management.cli import run

    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    sys.path.insert(0, folder)
    told: list[Outcome] = []
    for arguments in commands:
        with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(out):
            code = run(list(arguments))
        told.append((code, out.getvalue()))
    there.send(told)
