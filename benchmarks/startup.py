"""Start-up: what the command line costs before it does anything, and the first answer."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tests.services import free_port

from .harness.rows import Row, arguments, compare, show

ROOT = Path(__file__).parent.parent
EXAMPLE = ROOT / "example_project"
BASELINE = "benchmarks.baselines.hello:app"


def help_rows(rounds: int) -> Iterator[Row]:
    """Compare `--help`, outside of a project and in one, with the import of one library."""
    with tempfile.TemporaryDirectory() as nowhere:
        yield from _help_rows("help", ("-m", "fastforge"), Path(nowhere), "click", rounds)
    yield from _help_rows("help-in-project", ("-m", "fastforge"), EXAMPLE, "click", rounds)
    yield from _help_rows("manage-help", ("manage.py",), EXAMPLE, "fastapi", rounds)


def _help_rows(
    case: str, program: Sequence[str], folder: Path, against: str, rounds: int
) -> Iterator[Row]:
    return compare(
        benchmark="startup",
        case=case,
        subjects={
            "fastforge": _cpu_of(*program, "--help", folder=folder),
            against: _cpu_of("-c", f"import {against}", folder=folder),
        },
        against=against,
        rounds=rounds,
        us_per_unit=1000,
        unit="ms",
    )


def first_response_rows(rounds: int) -> Iterator[Row]:
    """Compare `manage runserver` with uvicorn on a hand-written application, both with reload."""
    return compare(
        benchmark="startup",
        case="first-response",
        subjects={
            "fastforge": _seconds_to_answer("-m", "fastforge", "runserver", "{port}"),
            "uvicorn": _seconds_to_answer(
                "-m", "uvicorn", BASELINE, "--port", "{port}", "--reload"
            ),
        },
        against="uvicorn",
        rounds=rounds,
        unit="s",
        us_per_unit=1e6,
    )


def _environment(folder: str = "") -> dict[str, str]:
    database = f"sqlite+aiosqlite:///{folder}/db.sqlite3"
    # With it, our modules would be compiled at every start, unlike those that pip has installed.
    inherited = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return {
        **inherited,
        "FASTFORGE_ENV": "development",
        "DATABASE_URL": database,
        "PYTHONPATH": os.pathsep.join((str(ROOT / "src"), str(ROOT))),
    }


def _cpu_of(*argv: str, folder: Path) -> Callable[[], float]:
    def run() -> float:
        process = subprocess.Popen(
            [sys.executable, *argv], cwd=folder, env=_environment(), stdout=subprocess.DEVNULL
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{' '.join(argv)} failed")
        return (usage.ru_utime + usage.ru_stime) * 1000

    return run


def _seconds_to_answer(*argv: str) -> Callable[[], float]:
    def run() -> float:
        port = free_port()
        with tempfile.TemporaryDirectory() as folder:
            command = [word.format(port=port) for word in argv]
            started = time.perf_counter()
            process = subprocess.Popen(
                [sys.executable, *command],
                cwd=EXAMPLE,
                env=_environment(folder),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            try:
                _wait_for_answer(f"http://127.0.0.1:{port}/", process)
                return time.perf_counter() - started
            finally:
                process.terminate()
                process.wait(timeout=30)

    return run


def _wait_for_answer(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=60):
                return
        except urllib.error.HTTPError as answer:  # any answer counts, also "not found"
            answer.close()
            return
        except OSError:
            time.sleep(0.005)
    raise SystemExit(f"no answer from {url}")


def main() -> None:
    """Print the rows."""
    options = arguments(__doc__)
    show(help_rows(2 if options.quick else 20), as_json=options.json)
    show(first_response_rows(1 if options.quick else 8), as_json=options.json)


if __name__ == "__main__":
    main()
