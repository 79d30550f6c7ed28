"""Unique keys of jobs in memory, wanted by several at once."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from fastforge.tasks.limits import UniqueKey
from fastforge.tasks.memory.keys import UniqueKeys

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def threads_take_turns_often() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def test_of_several_threads_one_takes_a_key() -> None:
    keys = UniqueKeys()
    wanted = [UniqueKey(key=str(number)) for number in range(2000)]

    def take_all(uid: str) -> list[str]:
        return [keys.take(key, uid, NOW) for key in wanted]

    with ThreadPoolExecutor(4) as threads:
        told = list(threads.map(take_all, "abcd"))
    for holders in zip(*told, strict=True):
        assert len(set(holders)) == 1
