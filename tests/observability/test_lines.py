"""Lines arrive whole and soon, and a stream that does not take them holds nobody up."""

from __future__ import annotations

import asyncio
import atexit
import io
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from textwrap import dedent
from typing import TextIO

import pytest

from fastforge.observability.lines import ATOMIC_BYTES, FLUSH_AFTER_S, KEPT_BYTES, LineBuffer
from tests.processes import run

LINE: bytes = b"a line of the log\n"


@contextmanager
def pipe() -> Iterator[tuple[int, TextIO]]:
    """Give both ends of a pipe."""
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as stream:
        yield reading, stream
    os.close(reading)


async def test_a_line_is_written_soon(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as stream:
        lines = LineBuffer(stream)
        lines.write(LINE)
        assert (tmp_path / "log").read_bytes() == b""
        while (tmp_path / "log").read_bytes() != LINE:
            await asyncio.sleep(0.01)
        lines.write(LINE)
        lines.flush()
        assert (tmp_path / "log").read_bytes() == LINE * 2


async def test_many_lines_are_written_at_once(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as stream:
        lines, count = LineBuffer(stream), 0
        while not (tmp_path / "log").stat().st_size:
            lines.write(LINE)
            count += 1
        assert (tmp_path / "log").read_bytes() == LINE * count


def test_without_an_event_loop_a_line_is_written_at_once(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as stream:
        LineBuffer(stream).write(LINE)
        assert (tmp_path / "log").read_bytes() == LINE


def test_lines_of_several_event_loops_are_written(tmp_path: Path) -> None:
    async def write_and_wait() -> None:
        lines.write(LINE)
        while (tmp_path / "log").stat().st_size <= before:
            await asyncio.sleep(0.01)

    async def write() -> None:
        lines.write(LINE)

    with (tmp_path / "log").open("w") as stream:
        lines, before = LineBuffer(stream), 0
        asyncio.run(write())  # its loop ends before it was time
        asyncio.run(write_and_wait())
    assert (tmp_path / "log").read_bytes() == LINE * 2


async def test_a_stream_in_memory_takes_lines() -> None:
    stream = io.StringIO()
    lines = LineBuffer(stream)
    lines.write(LINE)
    lines.flush()
    assert stream.getvalue() == LINE.decode()


async def test_standard_output_is_found_when_it_is_written_to(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = LineBuffer()
    lines.write(LINE)
    lines.close()
    assert capsys.readouterr().out == LINE.decode()


async def test_a_stream_that_nobody_reads_loses_lines_and_tells_how_many(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with pipe() as (reading, stream):
        lines, line = LineBuffer(stream), b"x" * 999 + b"\n"
        count = 2 * KEPT_BYTES // len(line)
        for _ in range(count):
            lines.write(line)
        assert lines.dropped > 0
        os.set_blocking(reading, False)
        read = b""
        while len(read) < (count - lines.dropped) * len(line):
            lines.flush()
            read += os.read(reading, KEPT_BYTES)
        assert read == line * (count - lines.dropped)
        lines.flush()
    assert f"{lines.dropped} lines were dropped" in caplog.text


async def test_a_stream_that_threads_alone_have_filled_is_written_again() -> None:
    """Threads have no timer: what they leave is for the event loop, also beyond what is kept."""
    with pipe() as (reading, stream):
        lines = LineBuffer(stream)
        lines.write(b"first\n")
        lines.flush()

        def fill() -> None:
            while not lines.dropped:
                lines.write(LINE * 100)

        await asyncio.to_thread(fill)
        os.set_blocking(reading, False)
        content, last = b"", b"the last line\n"
        async with asyncio.timeout(60):
            while last not in content:
                lines.write(last)
                await asyncio.sleep(0.01)
                with suppress(BlockingIOError):
                    content += os.read(reading, 1 << 20)


async def test_what_a_thread_alone_could_not_write_is_written_without_further_lines() -> None:
    with pipe() as (reading, stream):
        lines = LineBuffer(stream)
        lines.write(b"first\n")
        await asyncio.sleep(FLUSH_AFTER_S * 4)  # the timer of that line is over
        await asyncio.to_thread(lines.write, LINE * 10_000, at_once=True)
        os.set_blocking(reading, False)
        content = b""
        async with asyncio.timeout(60):
            while not content.endswith(LINE * 10_000):
                await asyncio.sleep(0.01)
                with suppress(BlockingIOError):
                    content += os.read(reading, 1 << 20)


async def test_a_line_that_is_longer_than_a_pipe_holds_up_nobody() -> None:
    with pipe() as (reading, stream):
        lines, line = LineBuffer(stream), b"x" * 500_000 + b"\n"
        lines.write(line)
        read = b""
        while len(read) < len(line):
            lines.flush()
            read += os.read(reading, KEPT_BYTES)
        assert read == line


@pytest.mark.parametrize("end", ["closed", "nobody reads", "none"])
async def test_a_stream_that_is_gone_fails_nobody(
    end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pipe() as (reading, stream):
        lines = LineBuffer(stream)
        if end == "closed":
            stream.close()
        elif end == "nobody reads":
            os.dup2(os.open(os.devnull, os.O_RDONLY), reading)
        else:
            monkeypatch.setattr(sys, "stdout", None)
            lines = LineBuffer()
        for _ in range(3):
            lines.write(LINE)
            lines.flush()
        lines.close()


def test_a_full_disk_fails_nobody() -> None:
    with Path("/dev/full").open("w") as stream:
        lines = LineBuffer(stream)
        for _ in range(3):
            lines.write(LINE)


WRITER = """
import asyncio, os, sys
from fastforge.observability.lines import LineBuffer

async def main():
    lines = LineBuffer()
    for number in range(2000):
        lines.write(sys.argv[1].encode() * (number % 300) + b"\\n")
        if number % 50 == 0:
            await asyncio.sleep(0)
    lines.close()

asyncio.run(main())
"""


def test_lines_of_several_processes_are_not_mixed() -> None:
    """Their pipe takes less at once than each of them has to say."""
    with pipe() as (reading, stream):
        writers = [
            subprocess.Popen([sys.executable, "-c", WRITER, letter], stdout=stream)
            for letter in "abc"
        ]
        stream.close()
        with os.fdopen(reading, "rb", closefd=False) as end:
            got = end.read().splitlines()
        assert [writer.wait() for writer in writers] == [0, 0, 0]
    for letter in (b"a", b"b", b"c"):
        mine = [line for line in got if letter in line]
        assert mine == [letter * (number % 300) for number in range(2000) if number % 300]
    assert ATOMIC_BYTES >= 300


def test_what_is_waiting_is_written_at_the_end_of_the_process() -> None:
    program = """
        import asyncio
        from fastforge.observability.lines import LineBuffer

        async def main():
            LineBuffer().write(b"the last\\n")

        asyncio.run(main())
        """
    assert run([sys.executable, "-c", dedent(program)]).stdout == "the last\n"


async def test_the_end_of_the_process_is_awaited_once_however_long_it_serves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    registered: list[object] = []
    monkeypatch.setattr(atexit, "register", registered.append)
    stream = io.StringIO()
    lines = LineBuffer(stream)
    for count in range(1, 4):
        lines.write(LINE)
        while stream.getvalue().count("\n") < count:
            await asyncio.sleep(0.01)
    assert registered == [lines.close]
    lines.close()
    lines.write(LINE)
    assert registered == [lines.close, lines.close]


def test_lines_of_many_threads_arrive_whole_and_each_once(tmp_path: Path) -> None:
    def write(letter: str) -> None:
        for number in range(500):
            lines.write(f"{letter}{number}\n".encode(), at_once=number % 3 == 0)

    with (tmp_path / "log").open("w") as stream:
        lines = LineBuffer(stream)
        threads = [threading.Thread(target=write, args=(each,)) for each in "abcdefgh"]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
    written = (tmp_path / "log").read_text().splitlines()
    for letter in "abcdefgh":
        mine = [line for line in written if line.startswith(letter)]
        assert mine == [f"{letter}{number}" for number in range(500)]


def test_a_handler_of_a_signal_writes_while_it_interrupts_a_write(tmp_path: Path) -> None:
    """It finds the lock taken, and may not wait for the thread that it interrupts."""
    with (tmp_path / "log").open("w") as stream:
        lines = LineBuffer(stream)
        with lines._writing:
            lines.write(LINE)
            lines.flush()
        lines.write(LINE)
    assert (tmp_path / "log").read_bytes() == LINE * 2


async def test_a_forked_process_does_not_write_what_its_parent_has_to_write(
    tmp_path: Path,
) -> None:
    with (tmp_path / "log").open("w") as stream:
        lines = LineBuffer(stream)
        lines.write(b"the parent's\n")
        with lines._writing:  # a thread that the child does not have
            pid = os.fork()
            if not pid:
                lines.write(b"the child's\n")
                lines.close()
                os._exit(0)
        os.waitpid(pid, 0)  # noqa: ASYNC222 - it ends at once
        lines.close()
    assert (tmp_path / "log").read_bytes() == b"the child's\nthe parent's\n"


async def test_no_line_waits_where_none_may(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as stream:
        lines = LineBuffer(stream)
        lines.flush_after_s = 0
        lines.write(LINE)
        assert (tmp_path / "log").read_bytes() == LINE


def test_what_is_printed_on_its_way_here_goes_to_what_is_beneath(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Captured(io.StringIO):
        beneath = io.StringIO()

    monkeypatch.setattr(sys, "stderr", Captured())
    LineBuffer("stderr").write(LINE)
    assert Captured.beneath.getvalue() == LINE.decode()
