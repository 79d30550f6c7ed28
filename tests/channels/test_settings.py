"""The setting CHANNELS: what it refuses, and how it says what is right."""

from __future__ import annotations

import pytest

from fastforge.channels import Channels
from fastforge.exceptions import ForgeError


@pytest.mark.parametrize("path", ["/", "/channels", "/live/v1.0", "/a-b_c"])
def test_a_path_is_taken_as_it_is_written(path: str) -> None:
    assert Channels(path=path).path == path


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"path": "/channels/"}, 'ends with a slash; write "/channels"'),
        ({"path": "/live/v1//"}, 'ends with a slash; write "/live/v1"'),
        ({"path": "channels"}, 'no path of letters, digits, _, . and -; write "/channels"'),
        ({"path": "/a b"}, 'write "/channels"'),
        ({"path": "//"}, 'write "/channels"'),
        ({"path": ""}, 'write "/channels"'),
        ({"path": "/über"}, 'write "/channels"'),
        ({"prefix": "shop:1"}, 'letters, digits, _, . and - alone; write "shop-staging"'),
    ],
)
def test_what_no_socket_could_be_opened_at_is_refused_with_what_is_right(
    given: dict[str, str], told: str
) -> None:
    with pytest.raises(ForgeError) as refused:
        Channels(**given)  # type: ignore[arg-type]
    assert refused.value.code == "conf.E006"
    assert told in str(refused.value)
    ((name, value),) = given.items()
    assert f"CHANNELS.{name}" in str(refused.value) or f"Channels.{name}" in str(refused.value)
    assert f"got {value!r}" in str(refused.value)
