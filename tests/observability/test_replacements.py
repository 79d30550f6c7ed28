"""One table says what blocks and what to write instead."""

from __future__ import annotations

import pytest

from fastforge.observability.replacements import blocking_call, blocking_calls, replacement_for


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("time.sleep", "await asyncio.sleep(...)"),
        ("requests.get", "await http.get(...) with HttpClient"),
        ("requests.Session.post", "await http.post(...) with HttpClient"),
        ("redis.Redis.zadd", "await redis.zadd(...) with RedisClient"),
        ("subprocess.run", "await anyio.run_process(...)"),
        ("shutil.copy", "await offload(shutil.copy, ...)"),
        ("nobody.knows", "await offload(nobody.knows, ...)"),
    ],
)
def test_a_call_has_a_replacement_and_offload_where_nothing_is_better(
    name: str, instead: str
) -> None:
    assert replacement_for(name) == instead


def test_a_class_of_which_every_method_blocks_has_exceptions() -> None:
    found = blocking_call("redis.Redis.get")
    assert found is not None
    assert (found.name, found.cause) == ("redis.Redis.get", "network")
    assert blocking_call("redis.Redis.pipeline") is None
    assert blocking_call("redis.Redis.__init__") is None
    assert blocking_call("redis.asyncio.Redis.get") is None


def test_no_replacement_blocks_itself_and_none_is_left_with_its_place_holder() -> None:
    for each in blocking_calls():
        instead = replacement_for(each.name)
        assert "{" not in instead
        assert blocking_call(instead.removeprefix("await ").partition("(")[0]) is None
