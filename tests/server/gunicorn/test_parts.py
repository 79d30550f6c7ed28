"""What workers and their manager share survives whoever held it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from fastforge.server.gunicorn import pauses
from fastforge.server.gunicorn.orders import Asked, ManagerOrders, ServingPlan, read_anew
from fastforge.server.gunicorn.pauses import Pauses
from fastforge.server.gunicorn.slot import Slot
from fastforge.server.gunicorn.turn import Turn
from fastforge.server.gunicorn.voice import Voice
from tests.folder import ProjectFolder


def in_child(work: Callable[[], bool], *, then: Callable[[], None] = lambda: None) -> bool:
    """What a function returns in a process of its own, which is killed after it."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.write(writing, b"1" if work() else b"0")
            signal.pause()
        finally:
            os._exit(1)
    answer = os.read(reading, 1)
    then()
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(reading)
    os.close(writing)
    return answer == b"1"


def test_a_slot_shows_what_a_killed_worker_has_said() -> None:
    slot = Slot()
    assert (slot.serves, slot.leaves, slot.is_tired, slot.is_last) == (False,) * 4
    assert slot.stop_s == 0

    def work() -> bool:
        slot.serves = slot.is_tired = True
        slot.stop_s = 47.5
        return True

    in_child(work)
    assert (slot.serves, slot.leaves, slot.is_tired, slot.is_last) == (True, False, True, False)
    assert slot.stop_s == 47.5


def test_one_of_several_has_the_word_until_there_is_news() -> None:
    voice = Voice()
    assert [in_child(voice.take) for _ in range(3)] == [True, False, False]
    voice.renew()
    voice.renew()
    assert [in_child(voice.take) for _ in range(2)] == [True, False]


def test_a_turn_ends_with_the_process_that_has_it() -> None:
    turn = Turn()
    others: list[bool] = []
    assert in_child(turn.take, then=lambda: others.append(in_child(turn.take)))
    assert others == [False]
    assert in_child(turn.take)
    turn.close()


def test_pauses_grow_while_workers_die_and_stay_short_for_those_that_serve(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 0.0
    monkeypatch.setattr(pauses.time, "monotonic", lambda: now)
    pause = Pauses()
    assert pause.is_over
    found = [pause.after_service(1) for _ in range(4)]
    assert found == ["", " in 0.5 s", " in 1 s", " in 1 s"]
    assert not pause.is_over
    now = 1.0
    assert pause.is_over
    assert pause.after_service(60) == ""
    found = [pause.after_failure() for _ in range(8)]
    assert found[:3] == [" in 0.5 s", " in 1 s", " in 2 s"]
    assert found[-1] == " in 30 s"
    pause.forget()
    assert pause.is_over


@pytest.fixture
def orders() -> ManagerOrders:
    return ManagerOrders(
        settings_module="shop.settings",
        named_by="",
        root="/shop",
        import_folder="/shop",
        sock=3,
        url="http://127.0.0.1:8000",
        environment="production",
        asked=Asked(),
        plan=ServingPlan(application="shop.asgi:app", number=2, reason="", max_requests=None),
    )


def test_orders_go_through_a_command_line(orders: ManagerOrders) -> None:
    assert ManagerOrders.from_argument(orders.to_argument()) == orders


def test_a_restart_reads_the_settings_anew_and_imports_nothing_itself(
    shop: ProjectFolder,
    orders: ManagerOrders,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(shop.path)
    orders = replace(orders, root=str(shop.path))
    shop.write({"shop/settings.py": settings("workers=3, max_requests=100")})
    found = read_anew(orders)
    assert found is not None
    assert (found.plan.number, found.plan.reason) == (3, "SERVER.workers")
    assert found.plan.max_requests == 100
    found = read_anew(replace(orders, asked=Asked(max_requests=7)))
    assert found is not None
    assert found.plan.max_requests == 7
    shop.write({"shop/settings.py": settings("wokers=30")})
    assert read_anew(orders) is None
    assert "did you mean 'workers'?" in capfd.readouterr().err
    found = read_anew(replace(orders, asked=Asked(workers=5)))
    assert found is None
    shop.write({"shop/settings.py": settings("workers=2") + "import sys; sys.exit('gone')\n"})
    assert read_anew(orders) is None


def settings(server: str) -> str:
    return f"from fastforge.core.settings import Server\nSERVER = Server({server})\n"


def test_the_reading_of_settings_that_hang_is_given_up(
    shop: ProjectFolder, orders: ManagerOrders, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(shop.path)
    monkeypatch.setattr("fastforge.server.gunicorn.orders.READ_WITHIN_S", 0.2)
    shop.write({"shop/settings.py": "import time; time.sleep(3600)\n"})
    assert read_anew(orders) is None
