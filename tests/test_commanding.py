"""A forked command does what a started one does."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from .commanding import python
from .processes import run

SCRIPT = """
import atexit, os, sys
print(sys.argv, __name__, __file__, sorted(set(os.listdir()) - {"__pycache__"}), flush=True)
print("to", "err", file=sys.stderr)
atexit.register(print, "at the end")
import neighbour
"""
FAILS = """
def deep():
    raise ValueError("bad")
try:
    {}["missing"]
except KeyError:
    deep()
"""
CALLS = {
    "script": ["script.py", "one", "--two"],
    "module": ["-m", "script", "one"],
    "text": ["-c", "import sys; print(sys.argv, __name__, repr(sys.path[0])); import neighbour"],
    "exit code": ["-c", "raise SystemExit(7)"],
    "exit message": ["-c", "raise SystemExit('no')"],
    "traceback of a script": ["fails.py"],
    "traceback out of a module": ["-m", "fails"],
    "traceback of a module": ["-c", "import fails"],
    "environment": ["-c", "import os; print(os.environ['ONE'], 'PYTEST_VERSION' in os.environ)"],
    "program": ["-c", "import os; os.execvp('echo', ['echo', 'another'])"],
    "child": ["-c", "import os; os.system('echo out; echo err >&2')"],
    "nobody types": ["-c", "import sys; print(repr(sys.stdin.read()), sys.stdout.isatty())"],
}


@pytest.mark.parametrize("arguments", CALLS.values(), ids=CALLS.keys())
def test_it_is_as_python_started_anew(arguments: list[str], tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    (tmp_path / "fails.py").write_text(FAILS)
    (tmp_path / "neighbour.py").write_text("print('hello')\n")
    env = {"ONE": "1"}
    started = run([sys.executable, *arguments], cwd=tmp_path, env=env)
    forked = python(arguments, cwd=tmp_path, env=env)
    assert forked.returncode == started.returncode
    assert forked.stdout == started.stdout
    assert forked.stderr == started.stderr


def test_both_streams_may_be_one(tmp_path: Path) -> None:
    text = "import sys; print(1); print(2, file=sys.stderr); print(3)"
    done = python(["-c", text], cwd=tmp_path, together=True)
    assert (done.stdout, done.stderr) == ("1\n2\n3\n", None)


def test_one_that_does_not_end_is_ended(tmp_path: Path) -> None:
    forever = "import threading; threading.Event().wait()"
    with pytest.raises(AssertionError, match="does not end"):
        python(["-c", forever], cwd=tmp_path, deadline_s=2)
