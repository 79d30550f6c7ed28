"""What a block is put down to, by what the clocks have said."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from fastforge.observability.watchdog.block import Block, Cause
from fastforge.observability.watchdog.clocks import Look
from fastforge.observability.watchdog.frames import Place, Stack

CODE = (lambda: None).__code__
HERE = Stack((Place(CODE, 1),))
NOWHERE = Stack(())


def look(at: float, **clocks: Any) -> Look:
    values = {"thread_s": 0.0, "process_s": 0.0, "delayed_s": 0.0, "is_ready": False, **clocks}
    return Look(at=at, **values)


def block(*looks: Look, seen: Stack = HERE, wanted_s: float = 0.025) -> Block:
    found = Block(began=0, before=look(0), collected_s=0, throttled_s=0)
    for each in looks:
        found.pass_time(each, wanted_s=wanted_s)
        found.add(seen, "task")
    return found


def cause(found: Block, duration_s: float, **now: float) -> Cause:
    known = {"collected_s": 0.0, "throttled_s": 0.0, "threshold_s": 0.1, **now}
    return found.cause(duration_s, look(duration_s), **known)


STEPS = [n / 40 for n in range(1, 13)]


def test_code_that_waits_or_works_is_to_blame() -> None:
    assert cause(block(*map(look, STEPS)), 0.3) is Cause.CODE
    assert cause(block(*(look(at, thread_s=at, process_s=at) for at in STEPS)), 0.3) is Cause.CODE


def test_a_thread_that_is_ready_and_gets_no_processor_is_starved() -> None:
    assert cause(block(*(look(at, delayed_s=at) for at in STEPS)), 0.3) is Cause.MACHINE
    unknown = [look(at, delayed_s=None, is_ready=True) for at in STEPS]
    assert cause(block(*unknown), 0.3) is Cause.MACHINE


def test_a_control_group_without_time_left_is_told_apart() -> None:
    starved = block(*(look(at, delayed_s=at) for at in STEPS))
    assert cause(starved, 0.3, throttled_s=0.25) is Cause.THROTTLED


def test_the_collector_is_told_apart() -> None:
    found = block(*(look(at, thread_s=at) for at in STEPS))
    assert cause(found, 0.3, collected_s=0.28, throttled_s=0.25) is Cause.COLLECTOR


def test_a_process_that_was_stopped_or_a_machine_that_slept_blames_nobody() -> None:
    """SIGSTOP, a laptop that was closed, a virtual machine that was moved."""
    found = block(look(0.05), look(30.0))
    assert cause(found, 30.0) is Cause.NOBODY
    assert found.stood_s > 29


def test_code_that_holds_the_interpreter_in_c_is_to_blame() -> None:
    assert cause(block(look(3.0, thread_s=2.9, process_s=2.9)), 3.0) is Cause.CODE


def test_another_thread_that_holds_the_interpreter_is_told_apart() -> None:
    assert cause(block(look(3.0, process_s=2.9)), 3.0) is Cause.THREADS
    assert cause(block(*map(look, STEPS), seen=NOWHERE), 0.3) is Cause.THREADS


def test_much_that_is_done_in_small_parts_blames_nobody() -> None:
    found = Block(began=0, before=look(0), collected_s=0, throttled_s=0)
    for number, at in enumerate(STEPS):
        found.pass_time(look(at), wanted_s=0.025)
        found.add(HERE, number)
    assert cause(found, 0.3) is Cause.NOBODY


def test_the_line_that_is_seen_most_of_the_function_that_is_seen_most_is_guilty() -> None:
    other = sys._getframe().f_code
    found = block()
    for code, line in ((CODE, 1), (CODE, 2), (CODE, 2), (other, 7), (other, 7), (CODE, 3)):
        found.add(Stack((Place(code, line),)), "task")
    assert found.guilty == Place(CODE, 2)
    told = found.told()
    assert told["samples"] == 6
    assert [line.rpartition(" ")[2] for line in told["lines"]] == ["33%", "33%", "17%"]


def test_a_block_is_told_of_for_the_task_whose_line_is_guilty() -> None:
    """Several tasks run within one turn of the loop; the first that was seen need not be it."""
    found = block()
    found.who = {"quick": {"job_id": "1"}, "slow": {"job_id": "2"}}
    found.add(Stack((Place(CODE, 7),)), "quick")
    for _ in range(5):
        found.add(Stack((Place(CODE, 8),)), "slow")
    assert (found.told()["line"], found.told()["job_id"]) == (8, "2")


def test_the_lines_of_a_block_are_bounded() -> None:
    found = block()
    for line in range(1000):
        found.add(Stack((Place(CODE, line),)), "task")
    assert len(found._places) == 64


@pytest.mark.parametrize("file", ["/usr/lib/python3/bdb.py", "/x/debugpy/_vendored/a.py"])
def test_a_debuggers_prompt_is_noticed(file: str) -> None:
    code = CODE.replace(co_filename=file)
    assert block(look(0.1), seen=Stack((Place(code, 1),))).is_debugged
    assert not block(look(0.1)).is_debugged
