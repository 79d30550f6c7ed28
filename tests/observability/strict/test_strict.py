"""Strict mode refuses what blocks an event loop, says what to write, and leaves the rest alone."""

from __future__ import annotations

import asyncio
import inspect
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fastforge.exceptions import ForgeError
from fastforge.observability import BlockingCallError, allow_blocking, strict_mode
from fastforge.observability.replacements import replacement_for
from tests.processes import wait_until_async

from .calls import ALLOWED, REFUSED, hold


@pytest.fixture
def strict() -> Iterator[None]:
    with strict_mode():
        yield


@pytest.mark.parametrize("called", REFUSED)
async def test_a_call_that_blocks_is_refused_with_its_line_and_its_replacement(
    strict: None, called: str
) -> None:
    with pytest.raises(BlockingCallError) as raised:
        REFUSED[called]()
    error = raised.value
    assert error.called == called.strip()
    assert error.instead == replacement_for(error.called)
    assert error.instead in str(error)
    assert str(error.where).startswith("tests/observability/strict/calls.py:")


@pytest.mark.parametrize("what", ALLOWED)
async def test_what_does_not_block_is_let(strict: None, what: str) -> None:
    result = ALLOWED[what]()
    if inspect.isawaitable(result):
        await result


async def test_the_error_is_of_the_family_and_survives_pickling(strict: None) -> None:
    with pytest.raises(ForgeError) as raised:
        hold()
    assert raised.value.code == "watchdog.E001"
    assert isinstance(raised.value, RuntimeError)
    assert str(pickle.loads(pickle.dumps(raised.value))) == str(raised.value)


async def test_a_block_may_be_let(strict: None) -> None:
    with allow_blocking():
        hold()
        await asyncio.create_task(asyncio.to_thread(hold))
    with pytest.raises(BlockingCallError):
        hold()


def test_nothing_is_refused_without_an_event_loop(strict: None) -> None:
    hold()
    assert "def test_nothing" in Path(__file__).read_text()


async def test_nothing_is_refused_in_a_thread_beside_the_event_loop(strict: None) -> None:
    await asyncio.to_thread(hold)


async def test_nothing_is_refused_once_it_is_off() -> None:
    with strict_mode():
        pass
    hold()


async def test_the_loop_of_another_thread_is_held_to_it_too(strict: None) -> None:
    errors: list[BaseException] = []

    async def block() -> None:
        try:
            hold()
        except BlockingCallError as error:
            errors.append(error)

    thread = threading.Thread(target=lambda: asyncio.run(block()))
    thread.start()
    await wait_until_async(lambda: errors)
    await asyncio.to_thread(thread.join)


async def test_code_of_tests_may_block() -> None:
    with strict_mode(lambda file: file.endswith("calls.py")):
        hold()
        with pytest.raises(BlockingCallError):
            time.sleep(0.001)  # noqa: ASYNC251 - it is not reached


async def test_code_of_a_module_may_block_while_it_is_imported(
    strict: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with allow_blocking():
        (tmp_path / "read_at_import.py").write_text(
            "with open(__file__) as file:\n    TEXT = file.read()\n"
        )
    monkeypatch.syspath_prepend(tmp_path)
    import read_at_import  # type: ignore[import-not-found]

    assert read_at_import.TEXT.startswith("with")


def test_what_is_replaced_is_as_good_as_before(strict: None) -> None:
    class Clock:
        sleep = time.sleep  # no method, as before

    Clock().sleep(0)
    assert pickle.loads(pickle.dumps(time.sleep)) is time.sleep
    assert time.sleep.__name__ == "sleep"
    with pytest.raises(TypeError):
        time.sleep()  # type: ignore[call-arg]


def test_a_process_that_is_not_strict_has_no_hooks() -> None:
    program = (
        "import fastforge.observability as it, sys, time; it.Watchdog; it.allow_blocking;"
        "assert type(time.sleep).__name__ == 'builtin_function_or_method';"
        "assert 'fastforge.observability.strict.hooks' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
